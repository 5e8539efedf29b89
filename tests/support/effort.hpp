// How much of a long test is done.
#pragma once

#include <cstdlib>

namespace actionhist::test {

// `full` times the environment's ACTIONHIST_EFFORT, which is 1 if it is not set.
inline int scaled(int full) {
  static const int factor = [] {
    const char* text = std::getenv("ACTIONHIST_EFFORT");
    const int given = text != nullptr ? std::atoi(text) : 1;
    return given > 0 ? given : 1;
  }();
  return full * factor;
}

// The same, and a sixth of it under a sanitizer, which makes everything slow that this process does.
inline int effort(int full) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return scaled(full) / 6 + 1;
#else
  return scaled(full);
#endif
}

}  // namespace actionhist::test
