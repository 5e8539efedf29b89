#include "sql/json_list.hpp"

#include "core/json_io.hpp"

namespace actionhist::sql {

std::string write_list(std::span<const std::string> items) {
  JsonWriter writer;
  writer.begin_array();
  for (const std::string& item : items) writer.value(item);
  return writer.end_array().take();
}

std::vector<std::string> read_list(const std::string& text) {
  JsonDocument document;
  std::vector<std::string> items;
  for (JsonElement item : simdjson::dom::array(document.parse(text, "list"))) {
    items.emplace_back(std::string_view(item));
  }
  return items;
}

}  // namespace actionhist::sql
