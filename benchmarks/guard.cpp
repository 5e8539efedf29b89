// What the guard costs: proposals with all patterns against proposals with none, taking turns in one run, over many
// resources and over one that 16 agents share; and what judging costs by the number of actions in the window, and by
// that of the alerts of the week before.
// Usage: guard [--resources N] [--rounds N] [--folder DIR] [--judge] [--json]. The file lies in DIR, the system's
// temporary folder if not given; with --judge nothing is proposed.
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include <actionhist/actionhist.hpp>

#include "analysis/oscillation.hpp"
#include "report.hpp"

namespace {

using namespace actionhist;
using namespace std::chrono_literals;
using benchmark::median;
using benchmark::Report;

constexpr int past_actions = 5;  // of each resource, inside every window
constexpr int proposals = 500;   // of each side in a round
constexpr int agents = 16;

// What an agent tries, step by step: it grows, with a look at something else between.
Action make_action(int resource, int step, TimePoint at) {
  Action action;
  action.action_timestamp = at;
  action.alert_name = "HighLatency";
  action.alert_severity = "critical";
  action.model_used = "model";
  action.model_confidence = .75;
  action.model_reasoning = "Requests wait for a free worker; more replicas shorten the queue.";
  action.resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web-" + std::to_string(resource)};
  action.correlation_id = fmt::format("incident-{}", resource);
  action.action_type = "scale_deployment";
  action.action_parameters = Json::object({{"replicas", 3 + step}});
  action.resource_state_before = Json::object({{"replicas", 2 + step}, {"image", "web:1"}});
  return action;
}

// A History with or without patterns, its resources with a past.
class Side {
 public:
  Side(const std::string& uri, bool guarded, int resources) : history_(open(uri, {.semantic = false})) {
    if (!guarded) {
      for (Pattern pattern : history_.patterns()) {
        pattern.active = false;
        history_.put_pattern(pattern);
      }
    }
    const TimePoint now = system_now();
    std::vector<Action> batch;
    for (int i = 0; i < resources; ++i) {
      for (int j = 0; j < past_actions; ++j) {
        Action action = make_action(i, j, now - 50min + 8min * j);
        action.outcome.status = Status::completed;
        action.outcome.resource_state_after = Json::object({{"replicas", 3 + j}, {"image", "web:1"}});
        action.outcome.effectiveness_score = .8;
        batch.push_back(std::move(action));
      }
      if (batch.size() < 5000 && i + 1 < resources) continue;
      history_.record(batch);
      batch.clear();
    }
  }

  // Returns the seconds that all took; notes each.
  double propose(int first_resource, int count) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      const auto start = std::chrono::steady_clock::now();
      refused_ += !history_.propose(make_action(first_resource + i, past_actions, system_now())).allowed();
      const auto took = std::chrono::steady_clock::now() - start;
      took_.push_back(std::chrono::duration<double, std::milli>(took).count());
    }
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  // Proposals of many agents for one resource, each growing it further.
  double propose_hot(int resource, int count) {
    const auto begin = std::chrono::steady_clock::now();
    std::atomic<int> next{0};
    std::atomic<int> refused{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < agents; ++i) {
      threads.emplace_back([&] {
        for (int j = next++; j < count; j = next++) {
          refused += !history_.propose(make_action(resource, past_actions + j, system_now())).allowed();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    refused_ += refused;
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  double p99() {
    std::ranges::sort(took_);
    return took_[took_.size() * 99 / 100];
  }
  int refused() const { return refused_; }

 private:
  History history_;
  std::vector<double> took_;  // milliseconds
  int refused_ = 0;
};

void compare(Report& out, const std::string& name, Side& guarded, Side& bare, int resources, int rounds) {
  std::vector<double> ratios;
  double guarded_seconds = 0;
  double bare_seconds = 0;
  for (int round = 0; round < rounds; ++round) {
    const int first = round * proposals % std::max(1, resources - proposals);
    const bool bare_first = round % 2 == 0;
    const double early = (bare_first ? bare : guarded).propose(first, proposals);
    const double late = (bare_first ? guarded : bare).propose(first, proposals);
    guarded_seconds += bare_first ? late : early;
    bare_seconds += bare_first ? early : late;
    ratios.push_back(bare_first ? early / late : late / early);
  }
  const double all = rounds * static_cast<double>(proposals);
  out.add(name, "proposals_per_second", all / guarded_seconds, "1/s", all / bare_seconds, median(ratios));
  out.add(name, "p99", guarded.p99(), "ms", bare.p99(), guarded.p99() / bare.p99());

  // The agents meet on one resource; the guard sees ever more of its actions.
  std::vector<double> hot;
  constexpr int hot_proposals = 160;
  for (int round = 0; round < rounds; ++round) {
    const int resource = resources + round;
    const double bare_took = bare.propose_hot(resource, hot_proposals);
    hot.push_back(bare_took / guarded.propose_hot(resource, hot_proposals));
  }
  out.add(name, "hot_resource_16_agents", median(hot), "of unguarded");
  out.add(name, "refused", guarded.refused(), "proposals", bare.refused());
}

// One call of all patterns over a window of `size` actions, with a proposal at its end: of actions that the process
// remembers, against those that it has just read.
void judge(Report& out, int size) {
  std::vector<Trace> traces;
  const TimePoint base = parse_time("2026-01-05T00:00:00Z");
  for (int i = 0; i < size; ++i) {
    Trace& trace = traces.emplace_back();
    static_cast<Action&>(trace) = make_action(0, i, base + i * 110min / size);
    trace.action_id = std::to_string(i);
    trace.resource_id = "web";
    trace.effect = Effect::mutating;
    trace.alert_fingerprint = "9f8e";
    if (i + 1 == size) continue;
    trace.outcome.status = Status::completed;
    trace.outcome.resource_state_after = Json::object({{"replicas", 3 + i}, {"image", "web:1"}});
  }
  const std::vector<Pattern> patterns = default_patterns();
  const std::span<const Trace> past = std::span(traces).first(traces.size() - 1);
  const std::vector<RecentTrace> remembered = recent_traces({past.begin(), past.end()});
  const auto measure = [&](const auto& rows) {
    std::vector<double> runs;
    for (int i = 0; i < 50; ++i) {
      const auto start = std::chrono::steady_clock::now();
      const Evidence evidence{std::span(rows), {}, true, &traces.back(), "resource:web"};
      Scene scene(evidence, traces.back().time());
      for (const Pattern& pattern : patterns) detect(pattern, scene);
      runs.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
    return median(runs);
  };
  const double fresh = measure(past);
  const double again = measure(remembered);
  out.add("judge", fmt::format("{}_actions", size), again, "us", fresh, again / fresh);
}

// One look for cascades over 50 actions of an incident among the alerts of a week in ten namespaces, of which a tenth
// fired near the actions; `smaller` is the time with a tenth of the alerts. Returns the time.
double judge_alerts(Report& out, int count, double smaller) {
  const TimePoint base = parse_time("2026-01-05T00:00:00Z");
  std::vector<Trace> traces;
  for (int i = 0; i < 50; ++i) {
    Trace& trace = traces.emplace_back();
    static_cast<Action&>(trace) = make_action(i, i, base + 2min * i);
    trace.action_id = std::to_string(i);
    trace.resource_id = trace.resource.name;
    trace.effect = Effect::mutating;
    trace.outcome.status = Status::completed;
  }
  std::vector<Alert> alerts;
  for (int i = 0; i < count; ++i) {
    const bool near = i % 10 == 0;
    Alert& alert = alerts.emplace_back();
    alert.name = alert.fingerprint = fmt::format("alert-{}", i % (count / 2));
    alert.resource = {.kind = "Deployment",
                      .namespace_ = fmt::format("team-{}", i % 97 % 10),
                      .name = fmt::format("service-{}", i % (count / 2))};
    alert.starts_at = near ? base + 100min * i / count : base - 24h * 7 * (count - i) / count;
  }
  std::ranges::sort(alerts, {}, &Alert::starts_at);
  std::vector<Pattern> patterns = default_patterns();
  std::erase_if(patterns,
                [](const Pattern& each) { return each.pattern_type != PatternType::cascading_failure; });
  std::vector<double> runs;
  for (int i = 0; i < 5; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const Evidence evidence{std::span(std::as_const(traces)), alerts, true, nullptr, "correlation:incident"};
    detect(patterns.front(), evidence, base + 100min);
    runs.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  const double took = median(runs);
  const std::string name = fmt::format("{}_alerts", count);
  smaller > 0 ? out.add("judge", name, took, "ms", smaller, took / smaller)
              : out.add("judge", name, took, "ms");
  return took;
}

void run(int resources, int rounds, const std::filesystem::path& parent, bool judge_alone, bool as_json) {
  Report out("guard", as_json);
  for (const int size : {10, 50, 250, 500}) judge(out, size);
  double took = 0;
  for (const int count : {1'000, 10'000, 100'000}) took = judge_alerts(out, count, took);
  if (judge_alone) return;
  {
    Side guarded("memory:", true, resources);
    Side bare("memory:", false, resources);
    compare(out, "memory", guarded, bare, resources, rounds);
  }
  const std::filesystem::path folder = parent / fmt::format("actionhist-guard-{}", getpid());
  std::filesystem::create_directories(folder);
  try {
    Side guarded((folder / "guarded.db").string(), true, resources);
    Side bare((folder / "bare.db").string(), false, resources);
    compare(out, "sqlite", guarded, bare, resources, rounds);
  } catch (...) {
    std::filesystem::remove_all(folder);
    throw;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace

int main(int argc, char** argv) {
  int resources = 10'000;
  int rounds = 10;
  std::filesystem::path folder = std::filesystem::temp_directory_path();
  bool judge_alone = false;
  bool as_json = false;
  const auto read = [](std::string_view text, int& number) {
    const auto end = text.data() + text.size();
    return std::from_chars(text.data(), end, number).ptr == end && number > 0;
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const bool more = i + 1 < argc;
    if (argument == "--json") {
      as_json = true;
    } else if (argument == "--judge") {
      judge_alone = true;
    } else if (argument == "--resources" && more && read(argv[i + 1], resources)) {
      ++i;
    } else if (argument == "--rounds" && more && read(argv[i + 1], rounds)) {
      ++i;
    } else if (argument == "--folder" && more) {
      folder = argv[++i];
    } else {
      fmt::print(stderr, "usage: guard [--resources N] [--rounds N] [--folder DIR] [--judge] [--json]\n");
      return 2;
    }
  }
  try {
    run(resources, rounds, folder, judge_alone, as_json);
  } catch (const std::exception& error) {
    fmt::print(stderr, "guard: {}\n", error.what());
    return 1;
  }
  return 0;
}
