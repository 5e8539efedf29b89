#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

using namespace std::chrono_literals;

// After this many seconds of failures without any progress, --once gives up.
constexpr int most_failures = 10;

int signal_pipe[2] = {-1, -1};

void note_signal(int) {
  const int error = errno;
  static_cast<void>(!write(signal_pipe[1], "", 1));
  errno = error;
}

// SIGINT and SIGTERM as something to wait for. A handler and not a mask, because libraries start threads
// before main() does, and those would still die of the signal. The second signal ends the program at once.
class StopSignal {
 public:
  // Throws Error: unavailable.
  StopSignal() {
    if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
      throw Error(ErrorCode::unavailable, fmt::format("worker: {}", std::strerror(errno)));
    }
    struct sigaction handler {};
    handler.sa_handler = note_signal;
    handler.sa_flags = SA_RESETHAND | SA_RESTART;
    sigaction(SIGINT, &handler, nullptr);
    sigaction(SIGTERM, &handler, nullptr);
  }

  bool came_within(std::chrono::milliseconds time) const {
    pollfd wait{signal_pipe[0], POLLIN, 0};
    int ready = 0;
    do {
      ready = poll(&wait, 1, static_cast<int>(time.count()));
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
  }
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

struct Arguments {
  bool once = false;
  int upkeep_seconds = 60;
};

Exit work(const Context& context, const Arguments& arguments) {
  if (context.read_only) throw CLI::ValidationError("worker: has to write; leave out --read-only");
  const StopSignal stop;
  Options options = context.options(Access::create);
  options.semantic = true;
  options.log = [&context](LogLevel, std::string_view text) { context.note(printable(text)); };
  if (!arguments.once) options.upkeep_interval = std::chrono::seconds(arguments.upkeep_seconds);
  History history = context.open(Access::create, std::move(options));
  Reporter reporter(context);
  if (arguments.once) return drain(history, stop, reporter);
  do {
    reporter.report(history.health());
  } while (!stop.came_within(1s));
  context.note("stopped");
  return Exit::done;
}

}  // namespace

void add_worker(CLI::App& app, Context& context) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "worker", "Indexes what is recorded and keeps what was learned up to date, until SIGINT or SIGTERM");
  command->add_flag("--once", arguments->once,
                    "Only until the queue is empty; exit status 5 if something could not be indexed");
  command
      ->add_option(
          "--upkeep", arguments->upkeep_seconds,
          "How often resources are analysed, detections settled and metrics refreshed; 60 if not given, "
          "0 for never")
      ->check(between(0, 86'400))
      ->type_name("SECONDS");
  context.on(command, [&context, arguments] { return work(context, *arguments); });
}

}  // namespace actionhist::cli
