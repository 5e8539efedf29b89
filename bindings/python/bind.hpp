// The parts of the extension, each in the file of its name.
#pragma once

#include <memory>

#include <pybind11/pybind11.h>

#include <actionhist/error.hpp>
#include <actionhist/history.hpp>

namespace actionhist::python {

namespace py = pybind11;

void bind_errors(py::module_& module);
// The class of actionhist/_errors.py that stands for a code.
py::object error_class(ErrorCode code);

void bind_values(py::module_& module);
void bind_history(py::module_& module);
void bind_semantic_index(py::module_& module);
void bind_model(py::module_& module);
void bind_months(py::module_& module);

// A model that open_model() gave, the URI of one, or one written in Python: an object with space_id, dimension
// and embed(texts, role).
std::shared_ptr<const EmbeddingModel> to_model(const py::object& model);

// A Python object that C++ may copy and drop on any thread, with the GIL or without.
std::shared_ptr<py::object> shared_object(const py::object& object);

// Lets Python deal with signals that came meanwhile, so that Ctrl-C ends a long call. Without the GIL held; throws what
// their handlers raise, in the main thread alone.
void check_signals();

// Options from the keyword arguments of actionhist.open(), all of which must be there.
Options to_options(const py::dict& given);

}  // namespace actionhist::python
