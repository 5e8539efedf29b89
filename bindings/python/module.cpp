#include <pybind11/pybind11.h>

#include <actionhist/version.hpp>

#include "bind.hpp"

// What actionhist/*.py offers to users. Nothing here decides: it converts and calls the library.
PYBIND11_MODULE(_actionhist, module) {
  module.attr("__version__") = actionhist::version();
  actionhist::python::bind_errors(module);
  actionhist::python::bind_values(module);
  actionhist::python::bind_history(module);
}
