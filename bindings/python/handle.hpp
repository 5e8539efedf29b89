// The History behind actionhist.History.
#pragma once

#include <memory>
#include <utility>

#include <pybind11/pybind11.h>

#include <actionhist/error.hpp>
#include <actionhist/history.hpp>

#include "callback.hpp"
#include "gil.hpp"

namespace actionhist::python {

namespace py = pybind11;

// A History that Python may close while other threads still use it. Its members need the GIL; the History
// itself is used and destroyed without, because its threads and callbacks may wait for the GIL. Whoever lets go of
// it last, it is never destroyed on a thread that is in one of its callbacks.
class Handle {
 public:
  // Takes what `history` points to.
  explicit Handle(History* history) : history_(history, destroy) {}
  ~Handle() { close(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // Calls that are under way keep the History until they are done.
  void close() {
    std::shared_ptr<History> last = std::move(history_);
    const WithoutGil released;
    last.reset();
  }

  bool closed() const { return history_ == nullptr; }

  template <class Work>
  auto call(Work&& work) const {
    if (closed()) throw Error(ErrorCode::invalid_argument, "history: is closed");
    std::shared_ptr<History> held = history_;
    const WithoutGil released;
    const std::shared_ptr<History> history = std::move(held);
    return work(*history);
  }

 private:
  std::shared_ptr<History> history_;  // empty when closed
};

// The parts of the Handle that have files of their own.
void bind_items(py::class_<Handle>& type);
void bind_checkpoints(py::class_<Handle>& type);
void bind_spaces(py::class_<Handle>& type);

}  // namespace actionhist::python
