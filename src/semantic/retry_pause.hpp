// When to try again after an error: each pause is twice as long, because what fails may be a server that others pay
// for. A RetryPause belongs to one thread.
#pragma once

#include <algorithm>
#include <chrono>

namespace actionhist {

class RetryPause {
 public:
  void note(bool failed) noexcept {
    pause_ = failed ? std::clamp(pause_ * 2, first, longest) : std::chrono::milliseconds(0);
    until_ = std::chrono::steady_clock::now() + pause_;
  }
  std::chrono::milliseconds length() const noexcept { return pause_; }
  bool over() const noexcept { return std::chrono::steady_clock::now() >= until_; }

 private:
  static constexpr std::chrono::milliseconds first{100};
  static constexpr std::chrono::milliseconds longest{10'000};

  std::chrono::milliseconds pause_{};
  std::chrono::steady_clock::time_point until_{};
};

}  // namespace actionhist
