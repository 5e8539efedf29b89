#include <algorithm>
#include <cstdint>
#include <filesystem>

#include <fmt/format.h>

#include "cli/command.hpp"
#include "cli/terminal.hpp"
#include "core/json_io.hpp"

namespace actionhist::cli {
namespace {

// The promise about the lag of the index; what waits longer has probably nobody who works it off.
constexpr double most_lag_seconds = 300;

// Less than this is soon full: a commit may need some of it for the log that it is written to first.
constexpr std::uintmax_t least_free_bytes = 16 << 20;

struct Report {
  Health health;
  std::vector<std::string> problems;
  std::vector<std::string> advice;  // worth knowing, and no fault
  std::size_t patterns = 0;
  std::size_t active_patterns = 0;
};

// Says when the disk below a file is full, or nearly so.
void examine_disk(const EngineInfo& engine, Report& report) {
  if (engine.engine != "sqlite" || !engine.durable) return;
  std::error_code unknown;
  const auto free = std::filesystem::space(engine.location, unknown).available;
  if (unknown || free >= least_free_bytes) return;
  report.problems.push_back(
      fmt::format("the disk has {} KiB left, and soon no action can be stored; make space", free / 1024));
}

Report examine(History& history) {
  Report report;
  report.health = history.health();
  if (!report.health.ready) return report;
  report.problems = history.repository().maintenance().verify();
  examine_disk(report.health.engine, report);
  const FeedHead& feed = report.health.feed;
  if (feed.failed > 0) {
    report.problems.push_back(
        fmt::format("{} actions could not be indexed and wait for a person: their texts are "
                    "refused by the model",
                    feed.failed));
  }
  if (report.health.lag_seconds > most_lag_seconds && feed.worker.empty()) {
    report.advice.push_back(
        fmt::format("{} actions wait to be indexed, the oldest for {:.0f} min, and nobody does it: "
                    "run actionhist worker, or worker --once",
                    feed.queued, report.health.lag_seconds / 60));
  }
  if (!report.health.engine.durable) {
    report.advice.emplace_back("this database is in memory: nothing outlives it");
  }
  for (const Pattern& pattern : history.patterns()) {
    ++report.patterns;
    report.active_patterns += pattern.active ? 1 : 0;
  }
  if (report.active_patterns == 0) {
    report.advice.emplace_back("no pattern is active, so the guard refuses nothing: see actionhist patterns");
  }
  return report;
}

void print(const Context& context, const Report& report) {
  const Health& health = report.health;
  if (context.json) {
    const auto list = [](JsonWriter& writer, const char* name, const std::vector<std::string>& lines) {
      writer.key(name).begin_array();
      for (const std::string& line : lines) writer.value(line);
      writer.end_array();
    };
    JsonWriter writer;
    writer.begin_object().member("healthy", health.ready && report.problems.empty());
    list(writer, "problems", report.problems);
    list(writer, "advice", report.advice);
    print_line(writer.key("health").raw(to_json(health)).end_object().take());
    return;
  }
  print_line(fmt::format("database  {} {} at {}, schema {} of {}", health.engine.engine,
                         health.engine.version, printable(health.engine.location),
                         health.engine.schema_version, health.engine.schema_latest));
  // A worker with nothing to do holds no lease, so that a free lease alone means nothing.
  const std::string lease = health.feed.worker.empty() ? "free" : printable(health.feed.worker);
  print_line(fmt::format("feed      at {}, {} queued, {} failed, lease {}", health.feed.seq,
                         health.feed.queued, health.feed.failed, lease));
  print_line(fmt::format("guard     {} of {} patterns active", report.active_patterns, report.patterns));
  for (const std::string& line : report.problems) print_line(fmt::format("problem   {}", printable(line)));
  for (const std::string& line : report.advice) print_line(fmt::format("advice    {}", printable(line)));
  if (report.problems.empty()) print_line("healthy");
}

// What may help when the database cannot even be opened, and the message does not say.
std::string_view remedy(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found: return "check the path, or record a first action to make it";
    case ErrorCode::invalid_argument: return "check --db";
    case ErrorCode::unavailable:
      return "check the server, or the disk, its space and its rights, and try again";
    case ErrorCode::timeout: return "end the process that holds the database, or try again";
    case ErrorCode::internal: return "please report this";
    default: return "";
  }
}

Exit doctor(const Context& context) {
  try {
    History history = context.open(Access::read);
    const Report report = examine(history);
    if (!report.health.ready) throw Error(ErrorCode::unavailable, report.health.error);
    print(context, report);
    return report.problems.empty() ? Exit::done : Exit::failed;
  } catch (const Error& error) {
    const std::string_view more = remedy(error.code());
    context.complain(to_string(error.code()),
                     fmt::format("{}{}{}", error.what(), more.empty() ? "" : "; ", more));
    const bool away = exit_of(error.code()) == Exit::unavailable || error.code() == ErrorCode::not_found;
    return away ? Exit::unavailable : Exit::failed;
  }
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  CLI::App* command =
      app.add_subcommand("doctor", "Checks everything; exit status 0 healthy, 4 unavailable, 5 problems");
  context.on(command, [&context] { return doctor(context); });
}

}  // namespace actionhist::cli
