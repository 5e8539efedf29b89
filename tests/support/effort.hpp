// How much of a long test is done.
#pragma once

namespace actionhist::test {

// A sixth of `full` under a sanitizer, which makes everything slow.
constexpr int effort(int full) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return full / 6 + 1;
#else
  return full;
#endif
}

}  // namespace actionhist::test
