// The GIL, given up and taken. Once Python ends, a daemon thread or one of the library's own cannot have it any more:
// Python would end the thread by unwinding it, through destructors and other frames that may not be, which ends the
// process. Such a thread stands still instead, until the process ends by itself.
#pragma once

#include <pybind11/pybind11.h>

namespace actionhist::python {

// Gives up the GIL for as long as it lives.
// REQUIRES: the GIL.
class WithoutGil {
 public:
  WithoutGil();
  ~WithoutGil();
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  PyThreadState* state_;
};

// Holds the GIL for as long as it lives, on any thread, whether the thread has it already or not.
class WithGil {
 public:
  WithGil();
  ~WithGil() { PyGILState_Release(state_); }
  WithGil(const WithGil&) = delete;
  WithGil& operator=(const WithGil&) = delete;

 private:
  PyGILState_STATE state_;
};

// Has the process end without destroying its static objects where threads still use them, without the GIL. To be called
// as late as can be.
void leave_statics_to_threads();

// What a callable of the host gives; it may run for long, and Python may end meanwhile.
// REQUIRES: the GIL. Throws py::error_already_set.
pybind11::object answer(const pybind11::object& callable, const pybind11::tuple& arguments);

}  // namespace actionhist::python
