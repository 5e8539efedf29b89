#include "analysis/leaves.hpp"

#include "analysis/fingerprint.hpp"

namespace actionhist {
namespace {

// Larger documents are states of whole clusters, whose leaves nobody moves one by one.
constexpr std::size_t max_leaves = 256;
constexpr std::size_t max_text = 256;

}  // namespace

Document LeafReader::read(const Json& json) {
  found_ = {};
  found_.numbers.reserve(json.absent() ? 0 : 4);
  path_.clear();
  // Without a digit there is no number.
  const bool worth = with_texts_ || json.text().find_first_of("0123456789") != std::string::npos;
  if (worth && !json.absent()) collect(parser_.parse(json));
  return std::move(found_);
}

void LeafReader::collect(JsonElement element) {
  if (found_.numbers.size() + found_.texts.size() >= max_leaves) return;
  if (element.is_object()) {
    for (auto [key, value] : simdjson::dom::object(element)) descend(key, value);
  } else if (element.is_array()) {
    int index = 0;
    for (JsonElement item : simdjson::dom::array(element)) descend(std::to_string(index++), item);
  } else if (element.is_number()) {
    add_number(dimensions_.at(path_), double(element));
  } else if (element.is_string()) {
    add_text(std::string_view(element));
  } else if (element.is_bool() && with_texts_) {
    found_.texts.push_back({dimensions_.at(path_).dimension, bool(element) ? "true" : "false"});
  }
}

void LeafReader::descend(std::string_view key, JsonElement element) {
  const std::size_t length = path_.size();
  if (length > 0) path_ += '.';
  path_ += key;
  collect(element);
  path_.resize(length);
}

void LeafReader::add_text(std::string_view text) {
  const DimensionTable::Entry& entry = dimensions_.at(path_);
  const auto number = quantity(text);
  const bool has_unit = number && (text.back() < '0' || text.back() > '9');
  // Without a unit "1.10" may be a version, unless the name says that it counts or measures something.
  if (number && (has_unit || entry.dimension->scale || entry.dimension->amount)) {
    // A size with a unit is an amount of storage, not a count.
    const bool store = has_unit && entry.dimension->name == "size";
    add_number(store ? dimensions_.at("storage") : entry, *number);
  } else if (with_texts_ && text.size() <= max_text) {
    found_.texts.push_back({entry.dimension, std::string(text)});
  }
}

void LeafReader::add_number(const DimensionTable::Entry& entry, double value) {
  const auto same = std::ranges::find(found_.numbers, entry.dimension, &Leaf<double>::dimension);
  // `replicas` itself is what was asked for; current_replicas only stands in for it.
  if (same == found_.numbers.end()) {
    found_.numbers.push_back({entry.dimension, value});
  } else if (entry.exact) {
    same->value = value;
  }
}

}  // namespace actionhist
