#include "cli/progress.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

constexpr std::size_t bar_width = 30;
constexpr std::chrono::milliseconds pause{100};

}  // namespace

Progress::Progress(bool wanted, std::optional<std::uintmax_t> total)
    : on_(wanted && is_terminal(stderr)), total_(total) {}

void Progress::show(std::uintmax_t done, std::string_view text) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_ || now < next_) return;
  next_ = now + pause;
  std::string line(text);
  if (total_ && *total_ > 0) {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(*total_));
    const auto full = static_cast<std::size_t>(share * bar_width);
    line = fmt::format("[{:#<{}}{:.<{}}] {:3.0f} %  {}", "", full, "", bar_width - full, share * 100, text);
  }
  fmt::print(stderr, "\r{}\x1b[K", line);
  std::fflush(stderr);
  drawn_ = true;
}

void Progress::clear() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

}  // namespace actionhist::cli
