#include <csignal>
#include <memory>

#include <fmt/format.h>
#include <pthread.h>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

using namespace std::chrono_literals;

// After this many seconds of failures without any progress, --once gives up.
constexpr int most_failures = 10;

// SIGINT and SIGTERM as something to wait for. Made before the first thread, so that every thread has the
// same mask and no signal is lost to another's default action.
class StopSignal {
 public:
  StopSignal() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGINT);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  }

  bool came_within(std::chrono::seconds time) const {
    const timespec limit{time.count(), 0};
    return sigtimedwait(&signals_, nullptr, &limit) > 0;
  }

 private:
  sigset_t signals_{};
};

// Prints a line whenever something moved.
class Reporter {
 public:
  explicit Reporter(const Context& context) : context_(context) {}

  void report(const Health& health) {
    const std::string trouble = health.ready ? health.index_error : health.error;
    JsonWriter writer;
    writer.begin_object().member("queued", health.feed.queued).member("failed", health.feed.failed);
    writer.member("feed_seq", health.feed.seq)
        .member("replica_seq", health.replica_seq)
        .member("error", trouble);
    std::string json = writer.end_object().take();
    if (json == last_) return;
    last_ = std::move(json);
    context_.say(fmt::format("{} queued, {} failed; feed at {}, index at {}{}{}", health.feed.queued,
                             health.feed.failed, health.feed.seq, health.replica_seq,
                             trouble.empty() ? "" : "; ", printable(trouble)),
                 last_);
    std::fflush(stdout);
  }

 private:
  const Context& context_;
  std::string last_;
};

// Works until the queue is empty.
Exit drain(History& history, const StopSignal& stop, Reporter& reporter) {
  std::int64_t seq = -1;
  for (int failures = 0;;) {
    const bool done = history.wait_indexed(1s);
    const Health health = history.health();
    reporter.report(health);
    if (done) return health.feed.failed == 0 ? Exit::done : Exit::failed;
    if (stop.came_within(0s)) return Exit::unavailable;
    failures = health.index_error.empty() || health.feed.seq != seq ? 0 : failures + 1;
    seq = health.feed.seq;
    if (failures >= most_failures) throw Error(ErrorCode::unavailable, "index: " + health.index_error);
  }
}

Exit work(const Context& context, bool once) {
  if (context.read_only) throw CLI::ValidationError("worker: has to write; leave out --read-only");
  const StopSignal stop;
  Options options = context.options(Access::create);
  options.semantic = true;
  options.log = [&context](LogLevel, std::string_view text) { context.note(printable(text)); };
  History history = context.open(Access::create, std::move(options));
  Reporter reporter(context);
  if (once) return drain(history, stop, reporter);
  do {
    reporter.report(history.health());
  } while (!stop.came_within(1s));
  context.note("stopped");
  return Exit::done;
}

}  // namespace

void add_worker(CLI::App& app, Context& context) {
  auto once = std::make_shared<bool>(false);
  CLI::App* command = app.add_subcommand("worker", "Indexes what is recorded, until SIGINT or SIGTERM");
  command->add_flag("--once", *once,
                    "Only until the queue is empty; exit status 5 if something could not be indexed");
  context.on(command, [&context, once] { return work(context, *once); });
}

}  // namespace actionhist::cli
