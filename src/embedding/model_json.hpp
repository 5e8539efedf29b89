// Reads the JSON files of published models: what is missing or of another type is refused with its place, what
// we do not need is passed over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "core/json_fields.hpp"
#include "core/json_io.hpp"
#include "core/names.hpp"

namespace actionhist {

// An object of a file, and where it stands: "tokenizer.json: model". Lives as long as its document.
class ModelJson {
 public:
  // Throws Error: invalid_argument if `element` is no object.
  ModelJson(JsonElement element, std::string place) : place_(std::move(place)) {
    if (element.get(object_) != simdjson::SUCCESS) refuse(place_, "is no object");
  }

  const std::string& place() const { return place_; }
  std::string place(std::string_view key) const { return fmt::format("{}.{}", place_, key); }

  // The member, unless it is missing or null.
  std::optional<JsonElement> member(std::string_view key) const {
    JsonElement value;
    if (object_[key].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
    return value;
  }

  // T is bool, std::int64_t, double, std::string_view, or simdjson's array or object.
  template <class T>
  T get(std::string_view key) const {
    const auto value = member(key);
    if (!value) refuse(place(key), "is missing");
    T out;
    if (value->get(out) != simdjson::SUCCESS) refuse(place(key), "is of another type than expected");
    return out;
  }
  template <class T>
  T get(std::string_view key, T otherwise) const {
    return member(key) ? get<T>(key) : otherwise;
  }

  ModelJson object(std::string_view key) const {
    const auto value = member(key);
    if (!value) refuse(place(key), "is missing");
    return ModelJson(*value, place(key));
  }
  std::optional<ModelJson> optional_object(std::string_view key) const {
    const auto value = member(key);
    return value ? std::optional(ModelJson(*value, place(key))) : std::nullopt;
  }

  simdjson::dom::object members() const { return object_; }

 private:
  simdjson::dom::object object_;
  std::string place_;
};

// The id of a token. Throws Error: invalid_argument for what is none, or is above 2^24.
inline std::uint32_t read_token_id(JsonElement value, const std::string& place) {
  constexpr std::int64_t most_ids = 1 << 24;
  std::int64_t id = -1;
  if (value.get(id) != simdjson::SUCCESS || id < 0 || id >= most_ids) {
    refuse(place, fmt::format("\"{}\" is no id", excerpt(simdjson::minify(value))));
  }
  return static_cast<std::uint32_t>(id);
}

}  // namespace actionhist
