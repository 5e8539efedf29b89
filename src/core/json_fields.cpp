#include "core/json_fields.hpp"

#include <algorithm>
#include <cmath>

#include "core/misspelt.hpp"

namespace actionhist {

FieldReader::FieldReader(JsonElement element, std::string_view what, std::string prefix)
    : prefix_(std::move(prefix)) {
  if (!element.is_object()) refuse(what, "must be a JSON object");
  for (auto [key, value] : simdjson::dom::object(element)) members_.push_back({key, value});
  std::ranges::sort(members_, {}, &Member::key);
  const auto twice = std::ranges::adjacent_find(members_, {}, &Member::key);
  if (twice != members_.end()) refuse(path(twice->key), "is given twice");
}

const FieldReader::Member* FieldReader::peek(std::string_view name) const {
  const auto found = std::ranges::lower_bound(members_, name, {}, &Member::key);
  return found == members_.end() || found->key != name ? nullptr : &*found;
}

std::string_view FieldReader::misspelt(std::string_view name, simdjson::dom::element_type type) const {
  const auto found = std::ranges::find_if(members_, [&](const Member& member) {
    return !member.read && member.value.type() == type && actionhist::misspelt(member.key, name);
  });
  return found == members_.end() ? std::string_view() : found->key;
}

std::optional<JsonElement> FieldReader::take(std::string_view name) {
  const Member* const found = peek(name);
  if (found == nullptr) return std::nullopt;
  members_[static_cast<std::size_t>(found - members_.data())].read = true;
  if (found->value.is_null()) return std::nullopt;
  return found->value;
}

void FieldReader::operator()(std::string_view name, std::string& target) {
  const auto value = take(name);
  if (!value) return;
  if (!value->is_string()) refuse(path(name), "must be text");
  target = std::string_view(*value);
}

void FieldReader::operator()(std::string_view name, Json& target) {
  if (const auto value = take(name)) target = Json::parse(simdjson::to_string(*value), path(name));
}

void FieldReader::operator()(std::string_view name, double& target) {
  const auto value = take(name);
  if (!value) return;
  if (value->get(target) != simdjson::SUCCESS) refuse(path(name), "must be a number");
}

void FieldReader::operator()(std::string_view name, bool& target) {
  const auto value = take(name);
  if (!value) return;
  if (value->get(target) != simdjson::SUCCESS) refuse(path(name), "must be true or false");
}

void FieldReader::operator()(std::string_view name, std::int64_t& target) {
  const auto value = take(name);
  if (!value) return;
  double number = 0;
  if (value->get(target) == simdjson::SUCCESS) return;
  // 5.0 is a whole number too, as JavaScript writes it.
  const bool whole =
      value->get(number) == simdjson::SUCCESS && std::abs(number) < 9e15 && number == std::floor(number);
  if (!whole) refuse(path(name), "must be a whole number");
  target = static_cast<std::int64_t>(number);
}

void FieldReader::operator()(std::string_view name, int& target) {
  std::int64_t wide = target;
  (*this)(name, wide);
  if (wide < INT32_MIN || wide > INT32_MAX) refuse(path(name), "is too large");
  target = static_cast<int>(wide);
}

void FieldReader::operator()(std::string_view name, TimePoint& target) {
  const auto value = take(name);
  if (!value) return;
  if (!value->is_string()) refuse(path(name), "must be a time in text, such as 2026-04-27T00:46:06Z");
  const std::string_view text(*value);
  if (!text.empty()) target = parse_time(text, path(name));
}

void FieldReader::operator()(std::string_view name, Status& target) {
  std::string text;
  (*this)(name, text);
  if (!text.empty()) target = parse_status(text, path(name));
}

void FieldReader::operator()(std::string_view name, Effect& target) {
  std::string text;
  (*this)(name, text);
  if (!text.empty()) target = parse_effect(text, path(name));
}

void FieldReader::operator()(std::string_view name, std::vector<std::string>& target) {
  const auto value = take(name);
  if (!value) return;
  if (!value->is_array()) refuse(path(name), "must be an array of texts");
  target.clear();
  for (JsonElement item : simdjson::dom::array(*value)) {
    if (!item.is_string()) refuse(path(name), "must be an array of texts");
    target.emplace_back(std::string_view(item));
  }
}

Json FieldReader::rest(const Json& more) const {
  JsonWriter writer;
  writer.begin_object();
  bool any = false;
  JsonDocument document;
  if (!more.absent()) {
    for (auto [key, value] : simdjson::dom::object(document.parse(more))) {
      const Member* same = peek(key);
      if (same != nullptr && !same->read)
        refuse(path("metadata"), fmt::format("and the record both have \"{}\"", key));
      writer.key(key).raw(simdjson::to_string(value));
      any = true;
    }
  }
  for (const Member& member : members_) {
    if (member.read || member.value.is_null()) continue;
    writer.key(member.key).raw(simdjson::to_string(member.value));
    any = true;
  }
  if (!any) return {};
  return Json::parse(writer.end_object().take(), path("metadata"));
}

void FieldReader::expect_done() const {
  for (const Member& member : members_) {
    if (!member.read) refuse(path(member.key), "is not known here");
  }
}

}  // namespace actionhist
