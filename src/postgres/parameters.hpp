// The values of a statement's parameters in PostgreSQL's binary format, each with its type.
// Values are copied, so nothing that was added has to outlive the call.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <actionhist/action.hpp>

#include "postgres/wire.hpp"

namespace actionhist::postgres {

class Parameters {
 public:
  Parameters() = default;
  // Adds all values in order.
  template <class First, class... Values>
  requires(!std::same_as<std::remove_cvref_t<First>, Parameters>) explicit Parameters(
      const First& first, const Values&... values) {
    reserve(1 + sizeof...(values));
    add(first);
    (add(values), ...);
  }

  // Empty text and absent Json are NULL.
  Parameters& add(std::string_view text) { return text.empty() ? null_of(type_id::text) : add_text(text); }
  Parameters& add(const std::string& text) { return add(std::string_view(text)); }
  Parameters& add(const char* text) { return add(std::string_view(text)); }
  Parameters& add(const Json& json) { return add(std::string_view(json.text())); }
  Parameters& add(std::int64_t number) { return scalar(number); }
  Parameters& add(int number) { return scalar(std::int32_t{number}); }
  Parameters& add(bool flag) { return scalar(flag); }
  Parameters& add(double number) { return scalar(number); }
  Parameters& add(TimePoint time) { return scalar(time); }
  Parameters& add(Status status) { return add(to_string(status)); }
  Parameters& add(Effect effect) { return add(to_string(effect)); }
  template <class T>
  Parameters& add(const std::optional<T>& value) {
    if (value) return add(*value);
    if constexpr (std::is_arithmetic_v<T> || std::is_same_v<T, TimePoint>) {
      return null_of(wire_type<T>());
    } else {
      return null_of(type_id::text);
    }
  }
  Parameters& add_text(std::string_view text);  // empty text stays empty text
  Parameters& add_bytes(std::span<const std::byte> bytes);
  Parameters& add_null();  // of the type that the statement asks for

  // Arrays, for unnest. Texts as they are: empty text stays empty text.
  Parameters& add(std::span<const std::string> texts);
  Parameters& add(const std::vector<std::string>& texts) { return add(std::span<const std::string>(texts)); }
  // Empty texts are NULL.
  Parameters& add_nullable_texts(std::span<const std::string_view> texts);
  Parameters& add(std::span<const Json> values);  // text[]; absent is NULL
  Parameters& add(const std::vector<Json>& values) { return add(std::span<const Json>(values)); }
  template <class T>
  requires(std::is_arithmetic_v<T> ||
           std::is_same_v<T, TimePoint>) Parameters& add(std::span<const T> values) {
    open_array(wire_type<T>(), values.size(), false);
    for (const T& value : values) append_element(value);
    return close_array();
  }
  template <class T>
  requires(std::is_arithmetic_v<T> ||
           std::is_same_v<T, TimePoint>) Parameters& add(std::span<const std::optional<T>> values) {
    open_array(wire_type<T>(), values.size(), true);
    for (const std::optional<T>& value : values) value ? append_element(*value) : append_null_element();
    return close_array();
  }
  template <class T>
  requires(!std::is_same_v<T, std::string> &&
           !std::is_same_v<T, Json>) Parameters& add(const std::vector<T>& values) {
    if constexpr (std::is_same_v<T, bool>) {
      open_array(wire_type<bool>(), values.size(), false);
      for (const bool value : values) append_element(value);
      return close_array();
    } else {
      return add(std::span<const T>(values));
    }
  }
  Parameters& add_byte_arrays(std::span<const std::span<const std::byte>> blobs);  // bytea[]

  void reserve(std::size_t count);
  std::size_t size() const noexcept { return types_.size(); }
  // Of all values together.
  std::size_t bytes() const noexcept { return bytes_.size(); }

  // For libpq. The pointers hold until the next change.
  const std::vector<TypeId>& types() const noexcept { return types_; }
  const std::vector<int>& lengths() const noexcept { return lengths_; }
  std::vector<const char*> values() const;

 private:
  template <class T>
  Parameters& scalar(T value) {
    const std::size_t begin = bytes_.size();
    wire_put(bytes_, value);
    return finish(wire_type<T>(), begin);
  }
  template <class T>
  void append_element(const T& value) {
    const std::size_t length_at = bytes_.size();
    wire_put(bytes_, std::int32_t{0});
    wire_put(bytes_, value);
    wire_patch(bytes_, length_at, static_cast<std::int32_t>(bytes_.size() - length_at - 4));
  }
  void append_text_element(std::string_view text);
  void append_null_element() { wire_put(bytes_, std::int32_t{-1}); }
  void open_array(TypeId element, std::size_t size, bool nulls);
  Parameters& close_array();
  Parameters& finish(TypeId type, std::size_t begin);
  Parameters& null_of(TypeId type);

  std::string bytes_;  // of all values, one after the other
  std::vector<TypeId> types_;
  std::vector<int> lengths_;
  std::vector<std::size_t> begins_;  // npos for NULL
  TypeId array_type_ = 0;            // of the array that is being added
  std::size_t array_begin_ = 0;
};

}  // namespace actionhist::postgres
