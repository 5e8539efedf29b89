#include "cli/search.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "cli/arguments.hpp"
#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

using namespace std::chrono_literals;

// False if the index did not hold what is stored within `patience`, or cannot come to it.
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

History open(const Context& context, const IndexArguments& arguments) {
  Options options = context.options(Access::change);
  options.semantic = !arguments.no_index;
  return context.open(Access::change, std::move(options));
}

}  // namespace

void IndexArguments::add_to(CLI::App& command) {
  command.add_option("--wait", wait_seconds, "How long to wait for the index; 30 if not given")
      ->check(between(0.0, 86'400.0))
      ->type_name("SECONDS");
  command.add_flag("--no-index", no_index, "By words in the database, without the index");
}

Search::Search(const Context& context, const IndexArguments& arguments)
    : context_(context),
      history_(open(context, arguments)),
      complete_(arguments.no_index || wait_for_index(context, history_,
                                                     std::chrono::milliseconds{static_cast<std::int64_t>(
                                                         arguments.wait_seconds * 1000)})) {}

void Search::note(std::string_view fallback) const {
  if (!fallback.empty()) {
    context_.note(fmt::format("found by the words alone, in the database: {}", printable(fallback)));
  } else if (!complete_) {
    context_.note("the newest actions are not indexed yet and may be missing here");
  }
}

}  // namespace actionhist::cli
