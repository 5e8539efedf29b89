#include "cli/index_wait.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace actionhist::cli {

using namespace std::chrono_literals;

bool wait_for_index(const Context& context, History& history, std::chrono::milliseconds patience) {
  const auto begin = std::chrono::steady_clock::now();
  bool told = false;
  for (;;) {
    const auto waited =
        std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    const auto left = std::max<std::chrono::milliseconds>(patience - waited, 0ms);
    if (history.wait_indexed(std::min<std::chrono::milliseconds>(left, 1s))) return true;
    const Health health = history.health();
    // Who may not write cannot work off the queue, and perhaps nobody else does.
    const bool hopeless =
        context.read_only && health.feed.worker.empty() && health.replica_seq >= health.feed.seq;
    if (left <= 1s || hopeless) return false;
    if (!told) {
      context.note(
          fmt::format("waiting up to {:.0f} s for the index: {} actions queued, {} of {} changes read",
                      std::chrono::duration<double>(patience).count(), health.feed.queued, health.replica_seq,
                      health.feed.seq));
    }
    told = true;
  }
}

}  // namespace actionhist::cli
