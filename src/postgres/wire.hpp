// PostgreSQL's binary format: big-endian numbers, times as microseconds since 2000.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include <actionhist/time.hpp>

namespace actionhist::postgres {

// libpq's Oid of a type; part of the protocol, never changed.
using TypeId = unsigned int;

namespace type_id {
inline constexpr TypeId boolean = 16, bytea = 17, name = 19, int8 = 20, int2 = 21, int4 = 23, text = 25,
                        oid = 26, json = 114, float4 = 700, float8 = 701, unknown = 705, bpchar = 1042,
                        varchar = 1043, timestamptz = 1184, uuid = 2950, jsonb = 3802;
inline constexpr TypeId boolean_array = 1000, bytea_array = 1001, int4_array = 1007, text_array = 1009,
                        int8_array = 1016, float4_array = 1021, float8_array = 1022, timestamptz_array = 1185;
}  // namespace type_id

inline constexpr TimePoint wire_epoch{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};

// Microseconds since then. A time before those of the server is its -infinity.
constexpr std::int64_t to_wire(TimePoint time) {
  constexpr std::int64_t epoch = wire_epoch.time_since_epoch().count();
  constexpr std::int64_t first = -211'813'488'000'000'000;  // of the server
  const std::int64_t count = time.time_since_epoch().count();
  if (count < first + epoch) return std::numeric_limits<std::int64_t>::min();
  return count - epoch;
}

// Times beyond ours are our first or last.
constexpr TimePoint from_wire(std::int64_t count) {
  if (count == std::numeric_limits<std::int64_t>::min()) return TimePoint::min();
  if (count > (TimePoint::max() - wire_epoch).count()) return TimePoint::max();
  return wire_epoch + std::chrono::microseconds{count};
}

template <class T>
constexpr TypeId wire_type() {
  if constexpr (std::is_same_v<T, bool>) {
    return type_id::boolean;
  } else if constexpr (std::is_same_v<T, TimePoint>) {
    return type_id::timestamptz;
  } else if constexpr (std::is_same_v<T, float>) {
    return type_id::float4;
  } else if constexpr (std::is_same_v<T, double>) {
    return type_id::float8;
  } else if constexpr (sizeof(T) == 8) {
    return type_id::int8;
  } else {
    static_assert(sizeof(T) == 4 && std::is_integral_v<T>);
    return type_id::int4;
  }
}

template <class T>
T big_endian(T value) {
  static_assert(std::is_integral_v<T>);
  if constexpr (sizeof(T) == 1 || std::endian::native == std::endian::big) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<std::uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<std::uint32_t>(value)));
  } else {
    return static_cast<T>(__builtin_bswap64(static_cast<std::uint64_t>(value)));
  }
}

// Appends the value without a length.
template <class T>
void wire_put(std::string& out, const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    out.push_back(value ? '\1' : '\0');
  } else if constexpr (std::is_same_v<T, TimePoint>) {
    wire_put(out, to_wire(value));
  } else if constexpr (std::is_same_v<T, double>) {
    wire_put(out, std::bit_cast<std::int64_t>(value));
  } else if constexpr (std::is_same_v<T, float>) {
    wire_put(out, std::bit_cast<std::int32_t>(value));
  } else {
    const T swapped = big_endian(value);
    out.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
  }
}

inline void wire_patch(std::string& out, std::size_t at, std::int32_t value) {
  const std::int32_t swapped = big_endian(value);
  std::memcpy(out.data() + at, &swapped, sizeof swapped);
}

// REQUIRES: `data` has the bytes of a T.
template <class T>
T wire_get(const char* data) {
  if constexpr (std::is_same_v<T, bool>) {
    return *data != '\0';
  } else if constexpr (std::is_same_v<T, TimePoint>) {
    return from_wire(wire_get<std::int64_t>(data));
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<double>(wire_get<std::int64_t>(data));
  } else if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<float>(wire_get<std::int32_t>(data));
  } else {
    T swapped;
    std::memcpy(&swapped, data, sizeof swapped);
    return big_endian(swapped);
  }
}

}  // namespace actionhist::postgres
