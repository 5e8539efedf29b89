#include "gil.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include <unistd.h>

namespace actionhist::python {
namespace {

// Nothing behind it runs any more: it would use an interpreter that is being taken apart.
[[noreturn]] void stand_still() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

// Runs what may take the GIL. Nothing there throws; what comes is the unwinding by which Python ends a thread.
template <class Take>
auto taken(Take take) noexcept {
  try {
    return take();
  } catch (...) {
    stand_still();
  }
}

// Threads that gave up the GIL and do not have it back.
std::atomic<int> threads_without = 0;

#ifdef __GLIBC__
void end_at_once(int status, void*) {
  if (threads_without == 0) return;
  // Not all: another thread that stands still may hold one of the others.
  std::fflush(stdout);
  std::fflush(stderr);
  _exit(status);
}
#endif

}  // namespace

WithoutGil::WithoutGil() {
  ++threads_without;
  state_ = PyEval_SaveThread();
}

WithoutGil::~WithoutGil() {
  taken([this] { PyEval_RestoreThread(state_); });
  --threads_without;
}

void leave_statics_to_threads() {
#ifdef __GLIBC__
  on_exit(end_at_once, nullptr);
#endif
}

WithGil::WithGil()
    : state_(taken([] {
        // Once it has ended there is nobody to ask for the GIL.
        if (Py_IsInitialized() == 0) stand_still();
        return PyGILState_Ensure();
      })) {}

pybind11::object answer(const pybind11::object& callable, const pybind11::tuple& arguments) {
  PyObject* const result = taken([&] { return PyObject_CallObject(callable.ptr(), arguments.ptr()); });
  if (result == nullptr) throw pybind11::error_already_set();
  return pybind11::reinterpret_steal<pybind11::object>(result);
}

}  // namespace actionhist::python
