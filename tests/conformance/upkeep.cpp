// What every engine promises about what is done from time to time.
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  std::atomic<int> told{0};
  std::string uri = engine.uri(folder);
  History history = open(uri, {.tenant = "default",
                               .semantic = false,
                               .clock = clock,
                               .on_detection = [this](const DetectionNotice&) { ++told; }});

  Fixture() { UNSCOPED_INFO(engine.name); }

  // Replicas to and fro, recorded without asking.
  void oscillate(TimePoint last) {
    const int replicas[] = {3, 5, 3, 5, 3};
    for (int i = 0; i < 4; ++i) {
      Action action = scale("s" + std::to_string(i), replicas[i], replicas[i + 1], last - 5min * (3 - i));
      action.outcome = completed(.9);
      history.record(action);
    }
  }
};

}  // namespace

TEST_CASE("an oscillation that was recorded without asking is found once and refuses nothing", "[upkeep]") {
  Fixture f;
  f.oscillate(noon - 1min);
  const Analysis first = f.history.analyse();
  CHECK(first.resources == 1);
  CHECK(first.detections == 1);
  CHECK(f.told == 1);
  const auto found = f.history.detections();
  REQUIRE(found.size() == 1);
  CHECK(found[0].pattern_type == PatternType::scale_oscillation);
  CHECK(found[0].action_ids.size() == 4);
  CHECK_FALSE(found[0].prevention);
  CHECK_FALSE(found[0].in_force_until);
  // Nothing changed since; and what is the same pattern is not noted twice.
  f.clock.advance(20min);
  CHECK(f.history.analyse().resources == 0);
  Action restarted = restart("later", noon + 19min);
  restarted.outcome = completed();
  f.history.record(restarted);
  f.clock.advance(1min);
  const Analysis second = f.history.analyse();
  CHECK(second.resources == 1);
  CHECK(second.detections == 0);
  CHECK(f.history.propose(restart("p", noon + 21min)).allowed());
  // It is over when it would have ceased to refuse.
  f.clock.advance(24h);
  CHECK(f.history.settle().resolved_by_timeout == 1);
}

TEST_CASE("a resource that is being analysed is nobody else's until the lease ends", "[upkeep]") {
  Fixture f;
  f.oscillate(noon - 1min);
  LearningStore& store = f.history.repository().learning();
  CHECK(store.lease_analyses(noon, noon + 5min, noon - 24h, 10).size() == 1);
  CHECK(f.history.analyse().resources == 0);
  f.clock.advance(6min);
  CHECK(f.history.analyse().resources == 1);
  // A resource of which nothing was heard for a day is left alone.
  CHECK(store.lease_analyses(noon + 48h, noon + 49h, noon + 24h, 10).empty());
  CHECK(error_code_of([&] { f.history.analyse(0); }) == ErrorCode::invalid_argument);
}

TEST_CASE("an agent whose clock is behind is analysed like any other", "[upkeep]") {
  Fixture f;
  Action first = restart("first", noon - 2h);
  first.outcome = completed();
  f.history.record(first);
  CHECK(f.history.analyse().resources == 1);
  *f.clock.time = noon - 30min;
  f.oscillate(noon - 31min);
  *f.clock.time = noon + 20min;
  const Analysis later = f.history.analyse();
  CHECK(later.resources == 1);
  CHECK(later.detections == 1);
  f.clock.advance(20min);
  CHECK(f.history.analyse().resources == 0);
}

TEST_CASE("one process at a time has the upkeep, and another after it", "[upkeep]") {
  Fixture f;
  LearningStore& store = f.history.repository().learning();
  CHECK(store.lease(Duty::upkeep, "a", noon, noon + 10min));
  CHECK_FALSE(store.lease(Duty::upkeep, "b", noon + 9min, noon + 19min));
  CHECK(store.lease(Duty::upkeep, "a", noon, noon + 1min));
  CHECK(store.lease(Duty::upkeep, "b", noon + 1min, noon + 11min));
  CHECK_FALSE(store.lease(Duty::upkeep, "a", noon + 2min, noon + 12min));
  // A lease that ends later than any is of a clock that was set back since.
  CHECK_FALSE(store.lease(Duty::upkeep, "c", noon - 3h, noon - 3h + 10min));
  CHECK(store.lease(Duty::upkeep, "c", noon - 48h, noon - 48h + 10min));
}

TEST_CASE("upkeep analyses, settles and refreshes the metrics", "[upkeep]") {
  Fixture f;
  f.oscillate(noon - 1min);
  const Upkeep done = f.history.upkeep();
  CHECK(done.analysis.detections == 1);
  CHECK(done.metrics.hours == 1);
  CHECK_FALSE(f.history.metrics().empty());
  CHECK(f.history.upkeep().metrics.hours == 0);
  CHECK(to_json(done).find("\"detections\":1") != std::string::npos);
}

TEST_CASE("a thread does the upkeep by itself", "[upkeep]") {
  Fixture f;
  f.oscillate(noon - 1min);
  {
    const History other =
        open(f.uri == "memory:" ? "memory:" : f.uri,
             {.tenant = "default", .semantic = false, .clock = f.clock, .upkeep_interval = 1s});
    if (f.uri == "memory:") return;  // each has its own
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (f.history.metrics().empty() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(20ms);
  }
  CHECK_FALSE(f.history.metrics().empty());
  CHECK(f.history.detections().size() == 1);
  CHECK(f.history.health().upkeep_error.empty());
}

TEST_CASE("options that are wrong make no file", "[upkeep]") {
  const TempFolder folder;
  const auto refused = [&](Options options) {
    return error_text_of([&] { open(folder.file("history.db"), std::move(options)); });
  };
  CHECK(refused({.upkeep_interval = 25h}).find("upkeep_interval: ") == 0);
  CHECK(refused({.busy_timeout = std::chrono::milliseconds::max()}).find("busy_timeout_ms: ") == 0);
  CHECK(refused({.busy_timeout = -1ms}).find("busy_timeout_ms: ") == 0);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("what retention removes is missing from the metrics, step by step as all at once", "[upkeep]") {
  Fixture f;
  for (int i = 0; i < 6; ++i) {
    Action action = restart("a" + std::to_string(i), noon - 24h * (40 - 5 * i));
    action.outcome = completed(.5);
    f.history.record(action);
  }
  f.history.refresh_metrics();
  const auto days = [&] {
    std::string text;
    for (const auto& metric : f.history.metrics({.metric_period = MetricPeriod::day}))
      text += to_json(metric) + '\n';
    return text;
  };
  const std::string before = days();
  RetentionPolicy policy;
  policy.max_age = std::chrono::days(20);
  policy.strategy = RetentionStrategy::oldest_first;
  CHECK(f.history.apply_retention({.policy = policy}).removed > 0);
  f.history.refresh_metrics();
  const std::string after = days();
  CHECK(after != before);
  CHECK_FALSE(after.empty());
  f.history.refresh_metrics(true);
  CHECK(days() == after);
}
