#include "matrix.hpp"

#include <fmt/format.h>

#include "convert.hpp"
#include "core/refuse.hpp"

namespace actionhist::python {

Matrix::Matrix(const py::object& given, std::string_view field) : given_(!given.is_none()) {
  if (!given_ || read_in_place(given, field)) return;
  for (const py::handle row : to_list(given, field)) {
    const std::vector<float> floats = to_floats(row, fmt::format("{}[{}]", field, rows_));
    if (rows_ > 0 && floats.size() != columns_) refuse(field, "has rows of different lengths");
    columns_ = floats.size();
    copies_.insert(copies_.end(), floats.begin(), floats.end());
    ++rows_;
  }
  begin_ = copies_.data();
}

bool Matrix::read_in_place(const py::object& given, std::string_view field) {
  if (PyObject_CheckBuffer(given.ptr()) == 0) return false;
  py::buffer_info buffer = py::reinterpret_borrow<py::buffer>(given).request();
  if (buffer.ndim != 2) refuse(field, fmt::format("has {} dimensions; give one vector a row", buffer.ndim));
  const auto rows = static_cast<std::size_t>(buffer.shape[0]);
  const auto columns = static_cast<std::size_t>(buffer.shape[1]);
  const auto row_bytes = static_cast<py::ssize_t>(columns * sizeof(float));
  const bool in_place = buffer.format == py::format_descriptor<float>::format() &&
                        (columns <= 1 || buffer.strides[1] == sizeof(float)) &&
                        (rows <= 1 || buffer.strides[0] == row_bytes);
  if (!in_place) return false;
  rows_ = rows;
  columns_ = columns;
  begin_ = static_cast<const float*>(buffer.ptr);
  buffer_ = std::move(buffer);
  return true;
}

}  // namespace actionhist::python
