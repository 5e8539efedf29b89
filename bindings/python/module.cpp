#include <pybind11/pybind11.h>

#include <actionhist/version.hpp>

#include "bind.hpp"

namespace {

// pybind11 keeps its types once for the whole process, so objects of one interpreter would reach another.
void require_main_interpreter() {
  if (PyInterpreterState_Get() == PyInterpreterState_Main()) return;
  throw pybind11::import_error(
      "actionhist: works in the main interpreter only; use threads or processes instead of sub-interpreters");
}

}  // namespace

// What actionhist/*.py offers to users. Nothing here decides: it converts and calls the library.
PYBIND11_MODULE(_actionhist, module) {
  // Asked by the package, because a second interpreter gets a copy of this module without running this.
  module.def("require_main_interpreter", &require_main_interpreter);
  module.attr("__version__") = actionhist::version();
  actionhist::python::bind_errors(module);
  actionhist::python::bind_values(module);
  actionhist::python::bind_history(module);
  actionhist::python::bind_semantic_index(module);
  actionhist::python::bind_model(module);
  actionhist::python::bind_months(module);
}
