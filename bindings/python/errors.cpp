#include <actionhist/error.hpp>

#include "bind.hpp"
#include "gil.hpp"

namespace actionhist::python {
namespace {

// The classes of actionhist/_errors.py by the name of their code. Never freed: errors may come at any time.
const py::dict& classes() {
  static const auto* const by_code = new py::dict(py::module_::import("actionhist._errors").attr("by_code"));
  return *by_code;
}

}  // namespace

py::object error_class(ErrorCode code) { return classes()[std::string(to_string(code)).c_str()]; }

namespace {

void raise(const Error& error) {
  const std::string_view message = error.what();
  // A message may quote the beginning of a text and end within a character.
  const auto text = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(message.data(), static_cast<Py_ssize_t>(message.size()), "replace"));
  PyErr_SetObject(error_class(error.code()).ptr(), text.ptr());
}

}  // namespace

void check_signals() {
  const WithGil gil;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

void bind_errors(py::module_&) {
  // A code without a class is noticed here and not when it is thrown.
  for (auto code = ErrorCode::invalid_argument; code <= ErrorCode::internal;
       code = static_cast<ErrorCode>(static_cast<int>(code) + 1)) {
    const std::string name(to_string(code));
    if (!classes().contains(name.c_str())) throw py::import_error("actionhist._errors: no class for " + name);
  }
  py::register_local_exception_translator([](std::exception_ptr caught) {
    try {
      if (caught) std::rethrow_exception(caught);
    } catch (const Error& error) {
      raise(error);
    }
  });
}

}  // namespace actionhist::python
