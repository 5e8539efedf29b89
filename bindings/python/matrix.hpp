// Rows of floats that Python gave. A buffer of float32 in C order, such as numpy's, is read where it lies; what is
// none is converted, number by number. Needs the GIL to be made and destroyed, not to be read.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <pybind11/pybind11.h>

namespace actionhist::python {

namespace py = pybind11;

class Matrix {
 public:
  // None gives no rows. Throws Error: invalid_argument, naming the field.
  Matrix(const py::object& given, std::string_view field);

  bool given() const { return given_; }
  std::size_t rows() const { return rows_; }
  // Lives as long as the matrix.
  std::span<const float> row(std::size_t i) const { return {begin_ + i * columns_, columns_}; }

 private:
  bool read_in_place(const py::object& given, std::string_view field);

  bool given_;
  std::optional<py::buffer_info> buffer_;
  std::vector<float> copies_;
  const float* begin_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t columns_ = 0;
};

}  // namespace actionhist::python
