// A lease as its row has it, by the clock of the file's machine.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <actionhist/time.hpp>

namespace actionhist::sqlite {

struct Lease {
  std::string worker;
  TimePoint expires_at{};

  // Whether `by` has it, as far as that is known without a write, as most times; absent if it is free or due to be
  // renewed.
  std::optional<bool> settled(std::string_view by, TimePoint now, std::chrono::seconds time) const {
    // One that ends later than any lease is of a clock that was set back since.
    const bool holds = expires_at > now && expires_at <= now + 2 * time;
    if (holds && worker != by) return false;
    if (worker == by && expires_at > now + time / 2) return true;
    return std::nullopt;
  }
};

}  // namespace actionhist::sqlite
