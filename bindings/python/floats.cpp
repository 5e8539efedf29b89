#include <cmath>
#include <cstring>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "convert.hpp"

namespace actionhist::python {
namespace {

void require_finite(float number, std::string_view field, std::size_t at) {
  if (std::isfinite(number)) return;
  throw Error(ErrorCode::invalid_argument, fmt::format("{}[{}]: {} is not finite", field, at, number));
}

template <class T>
std::vector<float> copied(const py::buffer_info& buffer, std::string_view field) {
  std::vector<float> floats(static_cast<std::size_t>(buffer.size));
  const auto* at = static_cast<const char*>(buffer.ptr);
  for (std::size_t i = 0; i < floats.size(); ++i, at += buffer.strides[0]) {
    T number;
    std::memcpy(&number, at, sizeof number);
    floats[i] = static_cast<float>(number);
    require_finite(floats[i], field, i);
  }
  return floats;
}

}  // namespace

std::vector<float> to_floats(py::handle value, std::string_view field) {
  if (PyObject_CheckBuffer(value.ptr()) != 0) {
    const py::buffer_info buffer = py::reinterpret_borrow<py::buffer>(value).request();
    if (buffer.ndim != 1) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: has {} dimensions; give one vector", field, buffer.ndim));
    }
    if (buffer.format == py::format_descriptor<float>::format()) return copied<float>(buffer, field);
    if (buffer.format == py::format_descriptor<double>::format()) return copied<double>(buffer, field);
  }
  std::vector<float> floats;
  for (const py::handle item : py::list(py::reinterpret_borrow<py::object>(value))) {
    const double number = to_number(item, fmt::format("{}[{}]", field, floats.size()));
    floats.push_back(static_cast<float>(number));
    require_finite(floats.back(), field, floats.size() - 1);
  }
  return floats;
}

}  // namespace actionhist::python
