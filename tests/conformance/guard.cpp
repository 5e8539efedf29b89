// What every engine promises about proposals.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .clock = clock});

  Fixture() { UNSCOPED_INFO(engine.name); }

  Verdict propose_scale(std::string id, int from, int to) {
    Action action = scale(std::move(id), from, to, noon);
    action.action_timestamp.reset();
    const Verdict verdict = history.propose(action);
    if (verdict.allowed()) {
      Outcome outcome = completed();
      outcome.resource_state_after = Json::object({{"replicas", to}});
      history.complete(action.action_id, outcome);
    }
    clock.advance(5min);
    return verdict;
  }

  // Replicas 3, 5, 3: the next flip would be the second reversal.
  void flip_twice() {
    REQUIRE(propose_scale("f-1", 3, 5).allowed());
    REQUIRE(propose_scale("f-2", 5, 3).allowed());
  }

  void set_budget(int actions) {
    for (Pattern pattern : history.patterns()) {
      if (pattern.pattern_type != PatternType::action_budget) continue;
      pattern.active = true;
      pattern.min_occurrences = actions;
      history.put_pattern(pattern);
    }
  }
};

}  // namespace

TEST_CASE("an action that would continue an oscillation is refused before it happens", "[guard]") {
  Fixture f;
  f.flip_twice();
  const Verdict verdict = f.propose_scale("f-3", 3, 5);
  CHECK_FALSE(verdict.allowed());
  CHECK(verdict.decision == Decision::cooling);
  REQUIRE(verdict.detections.size() == 1);
  const Detection& detection = verdict.detections.front();
  CHECK(detection.pattern_type == PatternType::scale_oscillation);
  CHECK(detection.action_ids == std::vector<std::string>{"f-1", "f-2", "f-3"});
  CHECK(detection.confidence >= 0.5);
  CHECK(verdict.retry_after > noon);
  CHECK_FALSE(verdict.trace);
  CHECK_FALSE(verdict.reason.empty());
}

TEST_CASE("a refused action is never stored as executable", "[guard]") {
  Fixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.propose_scale("f-3", 3, 5).allowed());
  CHECK_FALSE(f.history.get("f-3"));
  CHECK(f.history.history({}).traces.size() == 2);
  CHECK(error_code_of([&] { f.history.complete("f-3", completed()); }) == ErrorCode::not_found);
}

TEST_CASE("a refused id sent again gets the same verdict, and is counted once", "[guard]") {
  Fixture f;
  f.flip_twice();
  const Verdict first = f.propose_scale("f-3", 3, 5);
  const Verdict again = f.propose_scale("f-3", 3, 5);
  CHECK(again.decision == first.decision);
  CHECK(again.repeated);
  const auto stored = [&] { return f.history.detections(); };
  REQUIRE(stored().size() == 1);
  CHECK(stored().front().refusals == 1);
  f.clock.advance(-6min);
  CHECK_FALSE(f.propose_scale("f-4", 3, 5).repeated);
  REQUIRE(stored().size() == 1);
  CHECK(stored().front().refusals == 2);
}

TEST_CASE("an allowed id sent again is allowed again and stored once", "[guard]") {
  Fixture f;
  Action action = scale("a-1", 3, 5, noon);
  CHECK_FALSE(f.history.propose(action).repeated);
  const Verdict again = f.history.propose(action);
  CHECK(again.allowed());
  CHECK(again.repeated);
  CHECK_FALSE(again.trace->stored);
  CHECK(f.history.history({}).traces.size() == 1);
}

TEST_CASE("an id is allowed until its action has ended", "[guard]") {
  Fixture f;
  const Action action = scale("a-1", 3, 5, noon);
  REQUIRE(f.history.propose(action).allowed());
  CHECK(f.history.start("a-1").stored);
  const Verdict running = f.history.propose(action);
  CHECK(running.repeated);
  CHECK(running.trace->outcome.status == Status::executing);
  CHECK_FALSE(f.history.start("a-1").stored);
  f.history.complete("a-1", completed());
  CHECK(error_code_of([&] { f.history.propose(action); }) == ErrorCode::conflict);
  CHECK(error_code_of([&] { f.history.propose(action, {.actor = "ann", .reason = "again"}); }) ==
        ErrorCode::conflict);
  CHECK(error_text_of([&] { f.history.check(action); }) ==
        "action_id: \"a-1\" is completed already; what is done again needs an id of its own");
  CHECK(error_code_of([&] { f.history.start("a-1"); }) == ErrorCode::conflict);
}

TEST_CASE("of several agents that start an action one begins it", "[guard]") {
  Fixture f;
  REQUIRE(f.history.propose(scale("a-1", 3, 5, noon)).allowed());
  std::atomic<int> begun = 0;
  std::vector<std::thread> agents;
  for (int i = 0; i < 4; ++i) {
    agents.emplace_back([&] {
      if (f.history.start("a-1").stored) ++begun;
    });
  }
  for (std::thread& agent : agents) agent.join();
  CHECK(begun == 1);
}

TEST_CASE("an id that was allowed for one action is allowed for no other", "[guard]") {
  Fixture f;
  const Action first = scale("a-1", 2, 4, noon);
  REQUIRE(f.history.propose(first).allowed());
  Action other = first;
  const auto refused = [&](std::string_view field) {
    CHECK(error_code_of([&] { f.history.propose(other); }) == ErrorCode::conflict);
    CHECK(error_code_of([&] { f.history.check(other); }) == ErrorCode::conflict);
    CHECK(error_text_of([&] { f.history.propose(other); }).find(field) == 0);
  };
  other.action_type = "delete_namespace";
  refused("action_type: ");
  other = first;
  other.resource = {.kind = "Namespace", .name = "prod"};
  refused("resource: ");
  other = first;
  other.action_parameters = Json::object({{"replicas", 0}});
  refused("action_parameters: ");
  CHECK(f.history.propose(first).repeated);
}

TEST_CASE("the guard watches the resource where its owner is not known", "[guard]") {
  Fixture f;
  f.flip_twice();
  Action action = scale("f-3", 3, 5, noon);
  action.action_timestamp.reset();
  for (const char* owner : {"StatefulSet/", "Deployment/unknown", "unknown", ""}) {
    action.owner = owner;
    CHECK_FALSE(f.history.check(action).allowed());
  }
  action.owner = "StatefulSet/db";
  CHECK(f.history.check(action).allowed());
}

TEST_CASE("check decides the same and writes nothing", "[guard]") {
  Fixture f;
  f.flip_twice();
  CHECK_FALSE(f.history.check(scale("c-1", 3, 5, *f.clock.time)).allowed());
  CHECK(f.history.repository().patterns().in_force({}, *f.clock.time).empty());
  CHECK(f.history.check(restart("c-2", *f.clock.time)).allowed());
  CHECK_FALSE(f.history.get("c-2"));
}

TEST_CASE("after the cooling period an action may pass again when the window has moved on", "[guard]") {
  Fixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.propose_scale("f-3", 3, 5).allowed());
  f.clock.advance(3h);
  CHECK(f.propose_scale("f-4", 3, 5).allowed());
}

TEST_CASE("a pattern may say how long an action has to cool", "[guard]") {
  Fixture f;
  f.flip_twice();
  for (Pattern pattern : f.history.patterns()) {
    if (pattern.pattern_type != PatternType::scale_oscillation) continue;
    pattern.prevention_parameters = Json::object({{"cooling_period_minutes", 45}});
    f.history.put_pattern(pattern);
  }
  const TimePoint proposed = *f.clock.time;
  CHECK(f.propose_scale("f-3", 3, 5).retry_after == proposed + 45min);
}

TEST_CASE("the refusal stands for other resources by no means", "[guard]") {
  Fixture f;
  f.flip_twice();
  Action other = scale("o-1", 3, 5, *f.clock.time);
  other.resource.name = "api";
  CHECK(f.history.propose(other).allowed());
  other = scale("o-2", 3, 5, *f.clock.time);
  other.resource.cluster = "us";
  CHECK(f.history.propose(other).allowed());
}

TEST_CASE("a monotone ramp is never refused", "[guard]") {
  Fixture f;
  for (int replicas = 1; replicas < 12; ++replicas) {
    CHECK(f.propose_scale("r-" + std::to_string(replicas), replicas, replicas + 1).allowed());
  }
}

TEST_CASE("a proposal is of now, and one that is stored may be sent again at any time", "[guard]") {
  Fixture f;
  const Action action = restart("p-1", f.clock() - 9min);
  REQUIRE(f.history.propose(action).allowed());
  const Action late = restart("p-2", f.clock() - 11min);
  const std::string text = error_text_of([&] { f.history.propose(late); });
  INFO(text);
  CHECK(text.starts_with("action_timestamp: 2026-03-10T11:49:00Z is more than 10 min ago"));
  CHECK(error_text_of([&] { f.history.check(late); }) == text);
  CHECK_FALSE(f.history.get("p-2").has_value());
  f.clock.advance(3h);
  CHECK(f.history.propose(action).repeated);
}

TEST_CASE("however many actions only read, the loop behind them is seen", "[guard]") {
  Fixture f;
  std::vector<Action> actions;
  for (int i = 0; i < 5; ++i) {
    actions.push_back(restart(fmt::format("restart-{}", i), noon - 200min + i * 30min));
    actions.back().outcome = completed(0);
  }
  for (int i = 0; i < 1100; ++i) {
    actions.push_back(restart(fmt::format("look-{}", i), noon - 75min + i * 4s));
    actions.back().action_type = "get_logs";
    actions.back().action_parameters = Json::object({{"line", 1000 + i}});
  }
  f.history.record(actions);
  const auto again = [](const std::string& id) {
    Action action = restart(id);
    action.action_timestamp.reset();
    return action;
  };
  const Verdict seen = f.history.check(again("next"));
  CHECK_FALSE(seen.allowed());
  CHECK(seen.detections.front().action_ids.front() == "restart-0");
  // What an agent is allowed while it looks on changes nothing, whatever the process remembers of it.
  for (int i = 0; i < 40; ++i) {
    Action look = again(fmt::format("look on {}", i));
    look.action_type = "get_logs";
    look.action_parameters = Json::object({{"line", i}});
    REQUIRE(f.history.propose(look).allowed());
    f.clock.advance(1s);
  }
  CHECK_FALSE(f.history.propose(again("next")).allowed());
}

TEST_CASE("a pending action counts as having happened", "[guard]") {
  Fixture f;
  f.set_budget(2);
  CHECK(f.history.propose(restart("b-1")).allowed());
  CHECK(f.history.propose(restart("b-2")).allowed());
  CHECK_FALSE(f.history.propose(restart("b-3")).allowed());
  Outcome cancelled;
  cancelled.status = Status::cancelled;
  f.history.complete("b-2", cancelled);
  CHECK(f.history.patterns().size() >= 5);
}

TEST_CASE("an action that was begun counts although it was called off", "[guard]") {
  Fixture f;
  const Status status = GENERATE(Status::cancelled, Status::escalated);
  const bool begun = GENERATE(true, false);
  f.set_budget(2);
  int allowed = 0;
  for (int i = 0; i < 4; ++i) {
    const Verdict verdict = f.history.propose(restart("b-" + std::to_string(i)));
    if (!verdict.allowed()) continue;
    ++allowed;
    if (begun) f.history.start(verdict.trace->action_id);
    Outcome outcome;
    outcome.status = status;
    f.history.complete(verdict.trace->action_id, outcome);
    f.clock.advance(1min);
  }
  CHECK(allowed == (begun ? 2 : 4));
}

TEST_CASE("what is proposed within one millisecond is judged in its order", "[guard]") {
  Fixture f;
  for (int resource = 0; resource < 5; ++resource) {
    std::vector<std::string> allowed;
    for (int i = 0; i < 8; ++i) {
      f.clock.advance(20us);
      Action action = scale("", 0, i % 2 == 0 ? 5 : 3, *f.clock.time);
      action.resource.name = "web-" + std::to_string(resource);
      action.resource_state_before = {};
      action.action_timestamp.reset();
      const Verdict verdict = f.history.propose(action);
      if (verdict.allowed()) allowed.push_back(verdict.trace->action_id);
    }
    CHECK(allowed.size() == 4);
    CHECK(std::ranges::is_sorted(allowed));
  }
}

TEST_CASE("an action without a known resource is guarded by its correlation", "[guard]") {
  Fixture f;
  const auto call = [&](int i) {
    Action action;
    action.action_id = "c-" + std::to_string(i);
    action.correlation_id = "inc-1";
    action.action_type = "run_command";
    action.action_parameters = Json::object({{"cmd", "make test"}});
    action.outcome.result_hash = "same";
    const Verdict verdict = f.history.propose(action);
    f.clock.advance(1min);
    if (verdict.allowed()) {
      Outcome outcome = completed();
      outcome.result_hash = "same";
      f.history.complete(action.action_id, outcome);
    }
    return verdict;
  };
  int allowed = 0;
  std::string reason;
  for (int i = 0; i < 10; ++i) {
    const Verdict verdict = call(i);
    allowed += verdict.allowed();
    if (!verdict.allowed()) reason = verdict.reason;
  }
  CHECK(allowed >= 2);
  CHECK(allowed <= 5);
  CHECK(reason.find(" in correlation:inc-1: ") != reason.npos);
  const auto found = f.history.detect({.correlation_id = "inc-1"});
  CHECK(found.size() <= 1);
}

TEST_CASE("an action without any scope passes, and the verdict says what could not be looked at", "[guard]") {
  Fixture f;
  Action action;
  action.action_type = "restart";
  const Verdict verdict = f.history.propose(action);
  CHECK(verdict.allowed());
  REQUIRE(verdict.not_evaluated.size() == 1);
}

TEST_CASE("detect looks as of any moment and writes nothing", "[guard]") {
  Fixture f;
  std::vector<Action> flips;
  for (int i = 0; i < 6; ++i) {
    Action action = scale("d-" + std::to_string(i), i % 2 ? 5 : 3, i % 2 ? 3 : 5, noon - 2h + i * 5min);
    action.outcome = completed();
    flips.push_back(action);
  }
  f.history.record(flips);
  const DetectQuery web{.resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web"}};
  DetectQuery early = web;
  early.as_of = noon - 2h + 6min;
  CHECK(f.history.detect(early).empty());
  DetectQuery late = web;
  late.as_of = noon - 90min;
  const auto found = f.history.detect(late);
  REQUIRE(found.size() >= 1);
  CHECK(found.front().pattern_type == PatternType::scale_oscillation);
  CHECK(found.front().action_ids.size() == 6);
  DetectQuery narrow = late;
  narrow.window = 1min;
  CHECK(f.history.detect(narrow).empty());
  CHECK(f.history.repository().patterns().in_force({}, noon).empty());
  CHECK(error_code_of([&] { f.history.detect({}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("patterns are rows that can be changed", "[guard]") {
  Fixture f;
  Pattern pattern = f.history.patterns().front();
  pattern.threshold_config = Json::object({{"min_confidence", 0.9}});
  pattern.namespaces = {"prod", "staging"};
  pattern.description = "own";
  f.history.put_pattern(pattern);
  const auto patterns = f.history.patterns();
  const auto found = std::ranges::find(patterns, pattern.pattern_id, &Pattern::pattern_id);
  CHECK(found->updated_at >= pattern.updated_at);
  pattern.updated_at = found->updated_at;
  CHECK(*found == pattern);
  pattern.time_window = -5min;
  CHECK(error_code_of([&] { f.history.put_pattern(pattern); }) == ErrorCode::invalid_argument);
}

TEST_CASE("an alert is stored once a firing", "[guard]") {
  Fixture f;
  Alert alert{.name = "HighLoad",
              .resource = {.kind = "Pod", .namespace_ = "a", .name = "b"},
              .starts_at = noon - 1h};
  f.history.observe(alert);
  alert.ends_at = noon - 30min;
  f.history.observe(alert);
  const auto alerts = f.history.repository().resources().alerts(noon - 2h, noon);
  REQUIRE(alerts.size() == 1);
  CHECK(alerts.front().ends_at == noon - 30min);
  CHECK(alerts.front().resource.kind == "Pod");
  CHECK(error_code_of([&] { f.history.observe({.starts_at = noon}); }) == ErrorCode::invalid_argument);
}

TEST_CASE("earlier alerts are counted by their fingerprint", "[guard]") {
  Fixture f;
  ResourceStore& resources = f.history.repository().resources();
  const auto fire = [&](std::string fingerprint, std::chrono::minutes ago, std::string space,
                        std::string severity = "warning", std::optional<TimePoint> ended = {}) {
    f.history.observe({.name = "HighLoad",
                       .fingerprint = std::move(fingerprint),
                       .severity = std::move(severity),
                       .resource = {.kind = "Pod", .namespace_ = std::move(space), .name = "b"},
                       .starts_at = noon - ago,
                       .ends_at = ended});
  };
  fire("7", 8 * 24h, "a", "critical");  // before
  fire("7", 5 * 24h, "a", "warning", noon - 1h);
  fire("7", 4 * 24h, "a");
  fire("7", 3 * 24h, "a", "warning", noon - 2 * 24h);
  fire("7", 2h, "a", "critical");  // after
  fire("never asked", 4 * 24h, "shop", "critical");
  fire("unknown place", 7 * 24h, "", "critical");
  EarlierAlertQuery query{
      {"", "7", "of nobody", "unknown place"}, {"", "a", "shop"}, noon - 7 * 24h, noon - 2h};
  EarlierAlerts earlier = resources.earlier_alerts(query);
  REQUIRE(earlier.firings.size() == 2);
  CHECK(earlier.firings[0] == EarlierFirings{"7",
                                             {.kind = "Pod", .namespace_ = "a", .name = "b"},
                                             3,
                                             noon - 3 * 24h,
                                             noon - 2 * 24h,
                                             noon - 1h});
  CHECK(earlier.firings[1].fingerprint == "unknown place");
  CHECK(earlier.firings[1].latest_end == std::nullopt);
  CHECK(earlier.critical_namespaces == std::vector<std::string>{"", "shop"});
  query.fingerprints.clear();
  query.namespaces.clear();
  CHECK(resources.earlier_alerts(query) == EarlierAlerts{});
}

TEST_CASE("a cascade of alerts that fired all week is none", "[guard]") {
  Fixture f;
  const bool often = GENERATE(false, true);
  // A namespace that had critical alerts before is no worse for another one.
  const bool critical_before = GENERATE(false, true);
  const auto fire = [&](const std::string& name, TimePoint at, std::string severity = "warning") {
    f.history.observe({.name = name,
                       .severity = std::move(severity),
                       .labels = Json::object({{"app", "shop"}}),
                       .resource = {.kind = "Deployment", .namespace_ = "prod", .name = "of-" + name},
                       .starts_at = at,
                       .ends_at = at + 1min});
  };
  for (int i = 5; often && i < 200; ++i) {
    for (const char* name : {"api", "db", "mq"}) fire(name, noon - i * 50min);
  }
  if (critical_before) fire("other", noon - 3 * 24h, "critical");
  Action action = restart("a-1", noon);
  action.alert_severity = "warning";
  action.alert_labels = Json::object({{"app", "shop"}});
  action.session_id = "s-1";
  REQUIRE(f.history.propose(action).allowed());
  f.clock.advance(2min);
  Outcome outcome = completed();
  outcome.execution_end_time = noon + 1min;
  f.history.complete("a-1", outcome);
  for (const char* name : {"api", "db", "mq"}) fire(name, noon + 3min, "critical");
  f.clock.advance(5min);
  Action next = restart("a-2", noon + 7min);
  next.resource.name = "of-db";
  next.alert_name = "db";
  next.alert_severity = "critical";
  next.alert_labels = action.alert_labels;
  next.session_id = "s-1";
  const Verdict first = f.history.check(next);
  const Verdict verdict = f.history.propose(next);
  CHECK(verdict.decision == first.decision);
  CHECK(verdict.allowed() == often);
  if (often) return;
  REQUIRE(verdict.detections.size() == 1);
  CHECK(verdict.detections.front().pattern_type == PatternType::cascading_failure);
  CHECK(verdict.detections.front().severity == (critical_before ? Severity::medium : Severity::critical));
}
