// The GIL within a callback of the library, and what must not happen there: Python may collect garbage at any step,
// and a History that it frees would wait for the very thread that is in the callback.
#pragma once

#include <actionhist/history.hpp>

#include "gil.hpp"

namespace actionhist::python {

// Holds the GIL for a call into Python that a thread of the library may make.
class Callback {
 public:
  Callback() = default;
  Callback(const Callback&) = delete;
  Callback& operator=(const Callback&) = delete;

  // True on a thread that is in a callback.
  static bool running() noexcept { return depth_ > 0; }

 private:
  static thread_local int depth_;

  // Leaves the callback after the GIL, because Python may also free objects as it gives that up.
  struct Depth {
    Depth() noexcept { ++depth_; }
    ~Depth() { --depth_; }
  } entered_;
  WithGil gil_;
};

// Destroys a History, within a callback on another thread. Waits for the History's threads, which may wait for the GIL.
// REQUIRES: the GIL is not held.
void destroy(History* history) noexcept;

// Waits until what destroy() left to other threads is done.
// REQUIRES: the GIL is not held.
void wait_destroyed();

}  // namespace actionhist::python
