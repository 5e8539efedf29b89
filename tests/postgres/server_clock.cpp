// What a process takes for the server's time.
#include <catch2/catch.hpp>

#include "postgres/server_clock.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

// How far the clock is ahead of the machine's, whatever passes meanwhile.
std::chrono::milliseconds ahead(const ServerClock& clock) {
  std::chrono::microseconds least = 1h;
  for (int i = 0; i < 100; ++i) {
    const TimePoint before = system_now();
    least = std::min(least, clock.now() - before);
  }
  return std::chrono::round<std::chrono::milliseconds>(least);
}

}  // namespace

TEST_CASE("a server's clock that may agree with the machine's does", "[postgres]") {
  ServerClock clock;
  CHECK(ahead(clock) == 0ms);
  clock.heard(system_now() - 400ms, ServerClock::uptime() - 2000ms);
  CHECK(ahead(clock) == 0ms);
}

TEST_CASE("a server's clock that differs is taken as near to the machine's as it can be", "[postgres]") {
  ServerClock clock;
  // It was asked ten minutes ago, and may have answered at once or just now.
  const auto asked = [] { return ServerClock::uptime() - 10min; };
  clock.heard(system_now() - 60min, asked());
  CHECK(ahead(clock) > -51min);
  CHECK(ahead(clock) < -49min);
  clock.heard(system_now() + 60min, asked());
  CHECK(ahead(clock) > 59min);
  CHECK(ahead(clock) < 61min);
  clock.heard(system_now(), asked());
  CHECK(ahead(clock) == 0ms);
}
