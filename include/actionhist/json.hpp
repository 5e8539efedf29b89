// A JSON value held as validated, canonical text: keys sorted by bytes, no insignificant space, integers of 64 bits
// in digits, whole doubles among them, other numbers in the shortest form that reads back as the same double. Two
// values that mean the same compare equal. Immutable, so safe to share.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace actionhist {

class Json {
 public:
  // Absent: not even `null`. Stored as SQL NULL and left out of records.
  Json() = default;

  // Scalars. NaN and infinities are refused with invalid_argument. Only a bool is taken for one, and no character
  // for a number.
  Json(std::nullptr_t) : text_("null") {}
  template <std::same_as<bool> Bool>
  Json(Bool value) : text_(value ? "true" : "false") {}
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool> && !std::same_as<Integer, char>) Json(Integer value)
      : text_(std::to_string(value)) {}
  template <std::floating_point Number>
  Json(Number value) : text_(finite_text(static_cast<double>(value))) {}
  Json(const char* value) : Json(std::string_view(value)) {}
  Json(std::string_view value);
  Json(const std::string& value) : Json(std::string_view(value)) {}

  // Json::object({{"replicas", 5}, {"memory", "2Gi"}}); members with an absent value are left out.
  static Json object(std::initializer_list<std::pair<std::string_view, Json>> members);
  static Json array(std::initializer_list<Json> items);

  // Reads any JSON text. Refused with invalid_argument, naming `field`: malformed text, invalid UTF-8,
  // NUL characters, duplicate keys, integers beyond 64 bits, other numbers beyond a double, more than 256 KiB,
  // nesting beyond 64.
  static Json parse(std::string_view text, std::string_view field = "json");

  // REQUIRES: `text` is the text() of another Json. Used to read back what was stored.
  static Json from_canonical(std::string text) {
    Json json;
    json.text_ = std::move(text);
    return json;
  }

  bool absent() const noexcept { return text_.empty(); }
  const std::string& text() const noexcept { return text_; }

  friend bool operator==(const Json&, const Json&) = default;

 private:
  static std::string finite_text(double value);

  std::string text_;
};

}  // namespace actionhist
