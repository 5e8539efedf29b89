// The server's clock, as this process knows it from what the server said last and from the time that has passed since.
// The machine's own clock, which somebody may set, counts only as far as it agrees.
// A ServerClock may be used from any thread at once.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include <actionhist/time.hpp>

namespace actionhist::postgres {

class ServerClock {
 public:
  // How long the machine has been up, asleep too. Nobody sets it.
  using Uptime = std::chrono::microseconds;
  static Uptime uptime();

  // The machine's own time, until the server is heard.
  ServerClock() { believe(system_now(), uptime()); }

  // The server's clock has shown `time` at some moment since `asked`. Of what it may show now, that is taken which is
  // nearest to the machine's own: two clocks that agree stay the same to the microsecond.
  void heard(TimePoint time, Uptime asked);

  TimePoint now() const { return TimePoint(uptime() + std::chrono::microseconds(ahead_)); }

 private:
  void believe(TimePoint time, Uptime up) { ahead_ = (time.time_since_epoch() - up).count(); }

  std::atomic<std::int64_t> ahead_{0};  // of uptime(), in microseconds
};

}  // namespace actionhist::postgres
