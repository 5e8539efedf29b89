// A bar on stderr that shows how far a long command is. Silent where nobody watches.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace actionhist::cli {

class Progress {
 public:
  // Without a `total` only the text is shown.
  Progress(bool wanted, std::optional<std::uintmax_t> total);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::uintmax_t done, std::string_view text);

  // Takes the bar away, so that other lines may be written.
  void clear();

 private:
  bool on_;
  bool drawn_ = false;
  std::optional<std::uintmax_t> total_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace actionhist::cli
