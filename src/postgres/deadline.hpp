// A moment until which something may take. Plain value.
#pragma once

#include <chrono>

namespace actionhist::postgres {

using Deadline = std::chrono::steady_clock::time_point;

inline constexpr Deadline no_deadline = Deadline::max();

// Zero means that there is no limit.
inline Deadline deadline_after(std::chrono::milliseconds limit) {
  return limit.count() == 0 ? no_deadline : std::chrono::steady_clock::now() + limit;
}

}  // namespace actionhist::postgres
