#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <span>
#include <type_traits>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "convert.hpp"

namespace actionhist::python {
namespace {

void require_finite(std::span<const float> floats, std::string_view field) {
  // Without a branch for each: a query is checked before each search.
  constexpr std::uint32_t magnitude = 0x7fff'ffff;
  std::uint32_t greatest = 0;
  for (const float number : floats) {
    greatest = std::max(greatest, std::bit_cast<std::uint32_t>(number) & magnitude);
  }
  if (greatest < std::bit_cast<std::uint32_t>(std::numeric_limits<float>::infinity())) return;
  const auto bad = std::ranges::find_if_not(floats, [](float number) { return std::isfinite(number); });
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{}[{}]: {} is not finite", field, bad - floats.begin(), *bad));
}

template <class T>
std::vector<float> copied(const py::buffer_info& buffer) {
  const auto size = static_cast<std::size_t>(buffer.size);
  const auto* at = static_cast<const char*>(buffer.ptr);
  std::vector<float> floats(size);
  if (std::is_same_v<T, float> && size > 0 && buffer.strides[0] == sizeof(float)) {
    std::memcpy(floats.data(), at, size * sizeof(float));
    return floats;
  }
  for (std::size_t i = 0; i < size; ++i, at += buffer.strides[0]) {
    T number;
    std::memcpy(&number, at, sizeof number);
    floats[i] = static_cast<float>(number);
  }
  return floats;
}

// A buffer of floats, such as numpy's, at once; nothing for anything else.
std::optional<std::vector<float>> from_buffer(py::handle value, std::string_view field) {
  if (PyObject_CheckBuffer(value.ptr()) == 0) return std::nullopt;
  const py::buffer_info buffer = py::reinterpret_borrow<py::buffer>(value).request();
  if (buffer.ndim != 1) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: has {} dimensions; give one vector", field, buffer.ndim));
  }
  if (buffer.format == py::format_descriptor<float>::format()) return copied<float>(buffer);
  if (buffer.format == py::format_descriptor<double>::format()) return copied<double>(buffer);
  return std::nullopt;
}

std::vector<float> one_by_one(py::handle value, std::string_view field) {
  std::vector<float> floats;
  for (const py::handle item : to_list(value, field)) {
    floats.push_back(static_cast<float>(to_number(item, fmt::format("{}[{}]", field, floats.size()))));
  }
  return floats;
}

}  // namespace

std::vector<float> to_floats(py::handle value, std::string_view field) {
  auto buffered = from_buffer(value, field);
  std::vector<float> floats = buffered ? *std::move(buffered) : one_by_one(value, field);
  require_finite(floats, field);
  return floats;
}

}  // namespace actionhist::python
