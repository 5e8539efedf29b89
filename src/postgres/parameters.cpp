#include "postgres/parameters.hpp"

#include <limits>

#include "core/refuse.hpp"

namespace actionhist::postgres {
namespace {

constexpr std::size_t null_value = std::numeric_limits<std::size_t>::max();

TypeId array_of(TypeId element) {
  switch (element) {
    case type_id::boolean: return type_id::boolean_array;
    case type_id::bytea: return type_id::bytea_array;
    case type_id::int4: return type_id::int4_array;
    case type_id::int8: return type_id::int8_array;
    case type_id::float4: return type_id::float4_array;
    case type_id::float8: return type_id::float8_array;
    case type_id::timestamptz: return type_id::timestamptz_array;
    default: return type_id::text_array;
  }
}

// A value's length travels in 31 bits.
int checked_length(std::size_t length) {
  if (length > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    refuse("value", "larger than 2 GiB");
  }
  return static_cast<int>(length);
}

}  // namespace

void Parameters::reserve(std::size_t count) {
  types_.reserve(count);
  lengths_.reserve(count);
  begins_.reserve(count);
  bytes_.reserve(count * 16);
}

Parameters& Parameters::finish(TypeId type, std::size_t begin) {
  types_.push_back(type);
  lengths_.push_back(checked_length(bytes_.size() - begin));
  begins_.push_back(begin);
  return *this;
}

Parameters& Parameters::null_of(TypeId type) {
  types_.push_back(type);
  lengths_.push_back(0);
  begins_.push_back(null_value);
  return *this;
}

Parameters& Parameters::add_null() { return null_of(0); }

Parameters& Parameters::add_text(std::string_view text) {
  const std::size_t begin = bytes_.size();
  bytes_.append(text);
  return finish(type_id::text, begin);
}

Parameters& Parameters::add_bytes(std::span<const std::byte> bytes) {
  const std::size_t begin = bytes_.size();
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return finish(type_id::bytea, begin);
}

void Parameters::open_array(TypeId element, std::size_t size, bool nulls) {
  array_type_ = array_of(element);
  array_begin_ = bytes_.size();
  wire_put(bytes_, std::int32_t{size == 0 ? 0 : 1});  // dimensions
  wire_put(bytes_, std::int32_t{nulls ? 1 : 0});
  wire_put(bytes_, static_cast<std::int32_t>(element));
  if (size == 0) return;
  wire_put(bytes_, static_cast<std::int32_t>(checked_length(size)));
  wire_put(bytes_, std::int32_t{1});  // the first index
}

Parameters& Parameters::close_array() { return finish(array_type_, array_begin_); }

void Parameters::append_text_element(std::string_view text) {
  wire_put(bytes_, static_cast<std::int32_t>(checked_length(text.size())));
  bytes_.append(text);
}

Parameters& Parameters::add(std::span<const std::string> texts) {
  open_array(type_id::text, texts.size(), false);
  for (const std::string& text : texts) append_text_element(text);
  return close_array();
}

Parameters& Parameters::add_nullable_texts(std::span<const std::string_view> texts) {
  open_array(type_id::text, texts.size(), true);
  for (const std::string_view text : texts) text.empty() ? append_null_element() : append_text_element(text);
  return close_array();
}

Parameters& Parameters::add(std::span<const Json> values) {
  open_array(type_id::text, values.size(), true);
  for (const Json& json : values) json.absent() ? append_null_element() : append_text_element(json.text());
  return close_array();
}

Parameters& Parameters::add_byte_arrays(std::span<const std::span<const std::byte>> blobs) {
  open_array(type_id::bytea, blobs.size(), false);
  for (const auto& blob : blobs) {
    append_text_element({reinterpret_cast<const char*>(blob.data()), blob.size()});
  }
  return close_array();
}

std::vector<const char*> Parameters::values() const {
  std::vector<const char*> pointers;
  pointers.reserve(begins_.size());
  // An empty value needs a pointer too: without one it would be NULL.
  for (const std::size_t begin : begins_) {
    pointers.push_back(begin == null_value ? nullptr : bytes_.data() + begin);
  }
  return pointers;
}

}  // namespace actionhist::postgres
