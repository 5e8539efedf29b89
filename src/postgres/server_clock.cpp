#include "postgres/server_clock.hpp"

#include <algorithm>

#include <time.h>

namespace actionhist::postgres {

ServerClock::Uptime ServerClock::uptime() {
#ifdef CLOCK_BOOTTIME
  constexpr clockid_t clock = CLOCK_BOOTTIME;
#else
  constexpr clockid_t clock = CLOCK_MONOTONIC;
#endif
  timespec up{};
  clock_gettime(clock, &up);
  return std::chrono::duration_cast<Uptime>(std::chrono::seconds(up.tv_sec) +
                                            std::chrono::nanoseconds(up.tv_nsec));
}

void ServerClock::heard(TimePoint time, Uptime asked) {
  const Uptime up = uptime();
  believe(std::clamp(system_now(), time, time + (up - asked)), up);
}

}  // namespace actionhist::postgres
