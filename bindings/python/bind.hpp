// The parts of the extension, each in the file of its name.
#pragma once

#include <pybind11/pybind11.h>

#include <actionhist/history.hpp>

namespace actionhist::python {

namespace py = pybind11;

void bind_errors(py::module_& module);
void bind_values(py::module_& module);
void bind_history(py::module_& module);

// Options from the keyword arguments of actionhist.open(), all of which must be there.
Options to_options(const py::dict& given);

}  // namespace actionhist::python
