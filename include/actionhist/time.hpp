// Times are UTC with microseconds. The library reads the clock only through a Clock that the host
// may inject, so every result can be reproduced. Functions here may be called from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace actionhist {

using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;
// Several threads call it at once.
using Clock = std::function<TimePoint()>;

// The system's clock in UTC.
TimePoint system_now();

// Reads RFC 3339: `2026-04-27T00:46:06Z`, with fraction and offset; a blank may stand for the T.
// A time without a zone is refused, because it means another moment on another machine.
// Throws Error: invalid_argument, naming `field`.
TimePoint parse_time(std::string_view text, std::string_view field = "time");

// Writes RFC 3339 in UTC, with as much of the fraction as is not zero: `2026-04-27T00:46:06.5Z`.
std::string format_time(TimePoint time);

}  // namespace actionhist
