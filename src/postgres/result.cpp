#include "postgres/result.hpp"

#include <charconv>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::postgres {
namespace {

bool texty(TypeId type) {
  switch (type) {
    case type_id::text:
    case type_id::varchar:
    case type_id::bpchar:
    case type_id::name:
    case type_id::json:
    case type_id::unknown: return true;
    default: return false;
  }
}

std::string uuid_text(std::string_view bytes) {
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", static_cast<unsigned char>(bytes[i]));
  }
  return text;
}

}  // namespace

std::int64_t Result::affected() const noexcept {
  const std::string_view text = PQcmdTuples(result_.get());
  std::int64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

Reader::Value Reader::take() {
  const int column = column_++;
  if (column >= PQnfields(result_)) {
    throw Error(ErrorCode::internal, fmt::format("database: a result has no column {}", column + 1));
  }
  const TypeId type = PQftype(result_, column);
  if (PQgetisnull(result_, row_, column) == 1) return {type, {}, true};
  return {type,
          {PQgetvalue(result_, row_, column), static_cast<std::size_t>(PQgetlength(result_, row_, column))},
          false};
}

void Reader::wrong_type(TypeId type) const {
  throw Error(ErrorCode::internal, fmt::format("database: column {} (\"{}\") has the unexpected type {}",
                                               column_, PQfname(result_, column_ - 1), type));
}

Reader& Reader::read(std::string& target) {
  const Value value = take();
  if (texty(value.type)) {
    target.assign(value.bytes);
  } else if (value.type == type_id::uuid) {
    target = uuid_text(value.bytes);
  } else if (value.type == type_id::jsonb) {
    target.assign(value.bytes.substr(value.null ? 0 : 1));  // after its version
  } else {
    wrong_type(value.type);
  }
  return *this;
}

Reader& Reader::read(Json& target) {
  const Value value = take();
  if (value.type == type_id::jsonb) {
    target = value.null ? Json() : Json::parse(value.bytes.substr(1), PQfname(result_, column_ - 1));
  } else if (texty(value.type)) {
    target = Json::from_canonical(std::string(value.bytes));
  } else {
    wrong_type(value.type);
  }
  return *this;
}

Reader& Reader::read(std::int64_t& target) {
  const Value value = take();
  const char* data = value.bytes.data();
  switch (value.type) {
    case type_id::int8: target = value.null ? 0 : wire_get<std::int64_t>(data); break;
    case type_id::int4: target = value.null ? 0 : wire_get<std::int32_t>(data); break;
    case type_id::int2: target = value.null ? 0 : wire_get<std::int16_t>(data); break;
    case type_id::oid: target = value.null ? 0 : wire_get<std::uint32_t>(data); break;
    default: wrong_type(value.type);
  }
  return *this;
}

Reader& Reader::read(int& target) {
  std::int64_t number = 0;
  read(number);
  target = static_cast<int>(number);
  if (target != number) {
    throw Error(ErrorCode::internal, fmt::format("database: column {} (\"{}\") holds {}, more than 32 bits",
                                                 column_, PQfname(result_, column_ - 1), number));
  }
  return *this;
}

Reader& Reader::read(bool& target) {
  const Value value = take();
  if (value.type != type_id::boolean) wrong_type(value.type);
  target = !value.null && wire_get<bool>(value.bytes.data());
  return *this;
}

Reader& Reader::read(double& target) {
  const Value value = take();
  if (value.type == type_id::float8) {
    target = value.null ? 0 : wire_get<double>(value.bytes.data());
  } else if (value.type == type_id::float4) {
    target = value.null ? 0 : wire_get<float>(value.bytes.data());
  } else {
    wrong_type(value.type);
  }
  return *this;
}

Reader& Reader::read(TimePoint& target) {
  const Value value = take();
  if (value.type == type_id::timestamptz) {
    target = value.null ? TimePoint{} : wire_get<TimePoint>(value.bytes.data());
  } else if (value.type == type_id::int8) {
    target =
        TimePoint{std::chrono::microseconds{value.null ? 0 : wire_get<std::int64_t>(value.bytes.data())}};
  } else {
    wrong_type(value.type);
  }
  return *this;
}

Reader& Reader::read(Status& target) {
  target = parse_status(view());
  return *this;
}

Reader& Reader::read(Effect& target) {
  target = parse_effect(view());
  return *this;
}

// One dimension only; the server has checked the layout.
template <class T, class Element>
Reader& Reader::read_array(std::vector<T>& target, TypeId array_type, Element&& element) {
  target.clear();
  const Value value = take();
  if (value.type != array_type) wrong_type(value.type);
  if (value.null) return *this;
  const char* at = value.bytes.data();
  const auto dimensions = wire_get<std::int32_t>(at);
  if (dimensions > 1) wrong_type(value.type);
  if (dimensions == 0) return *this;
  const auto count = static_cast<std::size_t>(wire_get<std::int32_t>(at + 12));
  at += 20;
  target.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto length = wire_get<std::int32_t>(at);
    at += 4;
    if (length < 0) {
      target.emplace_back();
      continue;
    }
    target.push_back(element(std::string_view(at, static_cast<std::size_t>(length))));
    at += length;
  }
  return *this;
}

Reader& Reader::read(std::vector<std::string>& target) {
  return read_array(target, type_id::text_array, [](std::string_view bytes) { return std::string(bytes); });
}

Reader& Reader::read(std::vector<std::int64_t>& target) {
  return read_array(target, type_id::int8_array,
                    [](std::string_view bytes) { return wire_get<std::int64_t>(bytes.data()); });
}

Reader& Reader::read(std::vector<double>& target) {
  return read_array(target, type_id::float8_array,
                    [](std::string_view bytes) { return wire_get<double>(bytes.data()); });
}

Reader& Reader::read(std::vector<float>& target) {
  return read_array(target, type_id::float4_array,
                    [](std::string_view bytes) { return wire_get<float>(bytes.data()); });
}

std::string_view Reader::view() {
  const Value value = take();
  if (!texty(value.type)) wrong_type(value.type);
  return value.bytes;
}

std::string_view Reader::blob() {
  const Value value = take();
  if (value.type != type_id::bytea && !texty(value.type)) wrong_type(value.type);
  return value.bytes;
}

}  // namespace actionhist::postgres
