// How long a committed action takes until it can be found: one process records at an even pace, others, each with a
// replica of the index, look for every so many of them by a word that it alone has. A lag is the time from the return
// of record() to the first search that finds the action, with the pause between two searches.
// Usage: lag [--actions N] [--rate N] [--replicas N] [--postgres] [--folder DIR] [--json]: on a file in DIR, or on a
// server that this program starts.
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <actionhist/actionhist.hpp>

#include "program.hpp"
#include "report.hpp"
#include "support/children.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

namespace {

using namespace actionhist;
using namespace std::chrono_literals;
using benchmark::Report;
using Clock = std::chrono::steady_clock;  // the same in all processes

constexpr std::size_t most_replicas = 16;
constexpr std::size_t most_samples = 4096;
constexpr std::size_t sampled_each = 25;  // actions to one that is looked for
constexpr auto pause = 20ms;              // searches of all replicas take turns with what they wait for
constexpr auto patience = 60s;            // for what is still missing when all is recorded

struct Settings {
  std::size_t actions = 10'000;
  double rate = 500;  // actions a second
  std::size_t replicas = 4;
  bool postgres = false;
  std::string folder;
  bool json = false;

  std::size_t samples() const { return actions / sampled_each; }
};

// What the processes tell each other.
struct Board {
  std::atomic<std::size_t> ready{0};  // replicas
  std::atomic<bool> all_recorded{false};
  std::array<std::atomic<Clock::rep>, most_samples> committed{};  // when, 0 before
  // Of each replica the lag of each sample; none while it was not found.
  std::array<std::array<std::atomic<Clock::rep>, most_samples>, most_replicas> lags{};
};

std::string word_of(std::size_t sample) { return fmt::format("sample{}", sample); }

void follow(const std::string& uri, const Options& options, const Settings& settings, std::size_t replica,
            Board& board) {
  History history = open(uri, options);
  history.wait_indexed(30s);
  ++board.ready;
  for (std::size_t i = 0; i < settings.samples(); ++i) {
    while (board.committed[i] == 0) std::this_thread::sleep_for(pause);
    std::optional<Clock::time_point> missing_since;
    for (;;) {
      const auto hits = history.similar({.text = word_of(i), .limit = 1});
      const auto now = Clock::now();
      if (!hits.empty() && hits[0].trace.action_id == word_of(i)) {
        board.lags[replica][i] = std::max<Clock::rep>(1, now.time_since_epoch().count() - board.committed[i]);
        break;
      }
      if (board.all_recorded && !missing_since) missing_since = now;
      if (missing_since && now - *missing_since > patience) break;
      std::this_thread::sleep_for(pause);
    }
  }
}

// Returns how many it recorded a second.
double record(const std::string& uri, const Options& options, const Settings& settings, Board& board) {
  Options alone = options;
  alone.semantic = alone.worker = false;
  History history = open(uri, alone);
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < settings.actions; ++i) {
    const std::chrono::duration<double> due(static_cast<double>(i) / settings.rate);
    std::this_thread::sleep_until(begin + std::chrono::duration_cast<Clock::duration>(due));
    const bool sampled = i % sampled_each == 0 && i / sampled_each < settings.samples();
    const std::size_t sample = i / sampled_each;
    Action action;
    action.action_id = sampled ? word_of(sample) : fmt::format("other-{}", i);
    action.action_timestamp = system_now();
    action.action_type = "restart_deployment";
    action.alert_name = fmt::format("Alert{}", i % 40);
    action.resource = {
        .kind = "Deployment", .namespace_ = "prod", .name = fmt::format("service-{}", i % 500)};
    action.model_reasoning = fmt::format("Replica {} is not ready after {} restarts {}", i % 97, i % 13,
                                         sampled ? word_of(sample) : "");
    history.record(action);
    if (sampled) board.committed[sample] = Clock::now().time_since_epoch().count();
  }
  board.all_recorded = true;
  return static_cast<double>(settings.actions) / std::chrono::duration<double>(Clock::now() - begin).count();
}

void run(const Settings& settings) {
  Report report(settings.postgres ? "lag: PostgreSQL" : "lag: a file", settings.json);
  test::TempFolder folder;
  const std::string place = settings.folder.empty() ? folder.path().string() : settings.folder;
  std::optional<test::PostgresServer> server;
  std::string uri = place + "/lag.db";
  Options options{.tenant = "bench", .index_folder = place + "/index"};
  if (settings.postgres) {
    server.emplace(test::PostgresSetup{.fsync = false});
    uri = test::fresh_database(*server);
  }
  test::Shared<Board> board;
  // Children are forked while this process has no History; each opens its own.
  test::wait_for(test::spawn([&] { open(uri, options); }));
  std::vector<pid_t> children;
  for (std::size_t replica = 0; replica < settings.replicas; ++replica)
    children.push_back(test::spawn([&, replica] { follow(uri, options, settings, replica, *board); }));
  while (board->ready < settings.replicas) std::this_thread::sleep_for(10ms);
  const double rate = record(uri, options, settings, *board);
  for (const pid_t child : children) {
    if (test::wait_for(child) != 0) throw std::runtime_error("a replica failed");
  }
  report.add("recorded", "actions", rate, "1/s");
  std::vector<double> lags;
  std::size_t missing = 0;
  for (std::size_t replica = 0; replica < settings.replicas; ++replica) {
    for (std::size_t i = 0; i < settings.samples(); ++i) {
      const Clock::rep lag = board->lags[replica][i];
      if (lag == 0) ++missing;
      if (lag > 0) lags.push_back(std::chrono::duration<double>(Clock::duration(lag)).count());
    }
  }
  std::sort(lags.begin(), lags.end());
  for (const double part : {0.5, 0.99, 1.0}) {
    if (lags.empty()) break;
    report.add(
        fmt::format("p{:g} of {} searches in {} processes", part * 100, lags.size(), settings.replicas),
        "lag", lags[static_cast<std::size_t>(part * static_cast<double>(lags.size() - 1))], "s");
  }
  report.add("never found", "actions", static_cast<double>(missing), "");
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("How long a committed action takes until it can be found.", "lag");
  app.add_option("--actions", settings.actions)->check(CLI::Range(sampled_each, most_samples * sampled_each));
  app.add_option("--rate", settings.rate, "actions a second")->check(CLI::PositiveNumber);
  app.add_option("--replicas", settings.replicas, "processes that search")
      ->check(CLI::Range(1UL, most_replicas));
  app.add_flag("--postgres", settings.postgres, "on a server that this program starts");
  app.add_option("--folder", settings.folder, "where the file lies")->check(CLI::ExistingDirectory);
  app.add_flag("--json", settings.json, "one JSON object a line");
  return benchmark::program(app, argc, argv, [&] { run(settings); });
}
