#include "analysis/leaves.hpp"

#include "analysis/fingerprint.hpp"
#include "core/json_io.hpp"

namespace actionhist {
namespace {

// Larger documents are states of whole clusters, whose leaves nobody moves one by one.
constexpr std::size_t max_leaves = 256;
constexpr std::size_t max_text = 256;

class LeafReader {
 public:
  JsonLeaves read(JsonElement root) {
    collect(root);
    return std::move(found_);
  }

 private:
  void collect(JsonElement element) {
    if (element.is_object()) {
      for (auto [key, value] : simdjson::dom::object(element)) descend(key, value);
    } else if (element.is_array()) {
      int index = 0;
      for (JsonElement item : simdjson::dom::array(element)) descend(std::to_string(index++), item);
    } else if (element.is_number()) {
      add_number(known_dimension(path_), double(element));
    } else if (element.is_string()) {
      add_text(std::string_view(element));
    } else if (element.is_bool()) {
      add_text(known_dimension(path_), bool(element) ? "true" : "false");
    }
  }

  void descend(std::string_view key, JsonElement element) {
    if (found_.numbers.size() == max_leaves && found_.texts.size() == max_leaves) return;
    const std::size_t length = path_.size();
    if (length > 0) path_ += '.';
    path_ += key;
    collect(element);
    path_.resize(length);
  }

  void add_text(std::string_view text) {
    auto dimension = known_dimension(path_);
    const auto number = quantity(text);
    const bool has_unit = number && (text.back() < '0' || text.back() > '9');
    // Without a unit "1.10" may be a version, unless the name says that it counts or measures something.
    if (number && (has_unit || dimension->scale || dimension->amount)) {
      // A size with a unit is an amount of storage, not a count.
      const bool store = has_unit && dimension->name == "size";
      add_number(store ? known_dimension("storage") : std::move(dimension), *number);
    } else if (text.size() <= max_text) {
      add_text(std::move(dimension), text);
    }
  }

  void add_text(std::shared_ptr<const Dimension> dimension, std::string_view text) {
    if (found_.texts.size() < max_leaves) found_.texts.push_back({std::move(dimension), std::string(text)});
  }

  void add_number(std::shared_ptr<const Dimension> dimension, double value) {
    const auto same = std::ranges::find_if(
        found_.numbers, [&](const Leaf<double>& leaf) { return *leaf.dimension == *dimension; });
    // `replicas` itself is what was asked for; current_replicas only stands in for it.
    if (same != found_.numbers.end()) {
      if (dimension->exact) same->value = value;
    } else if (found_.numbers.size() < max_leaves) {
      found_.numbers.push_back({std::move(dimension), value});
    }
  }

  std::string path_;  // of the element at hand
  JsonLeaves found_;
};

// An action mostly starts where the last one ended, so the thread keeps what it read last.
struct LastRead {
  JsonDocument parser;
  std::string text;
  std::shared_ptr<const JsonLeaves> document;
};

}  // namespace

std::shared_ptr<const JsonLeaves> read_leaves(const Json& json) {
  static const auto nothing = std::make_shared<const JsonLeaves>();
  if (json.absent()) return nothing;
  thread_local LastRead last;
  if (last.document && last.text == json.text()) return last.document;
  last.document.reset();
  last.document = std::make_shared<const JsonLeaves>(LeafReader().read(last.parser.parse(json)));
  last.text = json.text();
  return last.document;
}

}  // namespace actionhist
