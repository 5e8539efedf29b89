// What every engine promises about effectiveness metrics and assessments that are due.
#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <iterator>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .clock = clock});

  Fixture() { UNSCOPED_INFO(engine.name); }

  void record(const std::string& id, TimePoint at, double score, std::string type = "restart_deployment",
              std::string space = "prod") {
    Action action = restart(id, at);
    action.action_type = std::move(type);
    action.resource.namespace_ = std::move(space);
    action.model_used = "m-1";
    action.outcome = completed(score);
    history.record(action);
  }

  std::vector<EffectivenessMetric> day(MetricScope scope, std::string value = {}) {
    return history.metrics(
        {.scope_type = scope, .scope_value = std::move(value), .metric_period = MetricPeriod::day});
  }
};

}  // namespace

TEST_CASE("scores become metrics of every scope and period", "[metrics]") {
  Fixture f;
  const double scores[] = {.1, .2, .3, .4, .5, .6, .7, .8, .9};
  for (int i = 0; i < 9; ++i) f.record("m-" + std::to_string(i), noon - 9min + i * 1min, scores[i]);
  Action unassessed = restart("m-none", noon - 1min);
  f.history.record(unassessed);
  const MetricRefresh done = f.history.refresh_metrics();
  CHECK(done.hours == 1);
  CHECK(done.metrics == 4 * 5);
  CHECK(f.history.refresh_metrics().hours == 0);
  const auto all = f.history.metrics();
  REQUIRE(all.size() == 4 * 5);
  for (const EffectivenessMetric& metric : all) {
    CHECK(metric.sample_size == 9);
    CHECK(metric.average_score == Approx(.5));
    CHECK(metric.median_score == .5);
    CHECK(metric.std_deviation == Approx(0.27386127875258304));
    CHECK(metric.trend_direction == "improving");
    CHECK(metric.trend_confidence > .99);
    CHECK(metric.min_sample_size_met);
    CHECK(metric.confidence_interval_lower < .3);
    CHECK_FALSE(metric.statistical_significance);
  }
  const auto of_day = f.day(MetricScope::namespace_, "prod");
  REQUIRE(of_day.size() == 1);
  CHECK(of_day[0].period_start == parse_time("2026-03-10T00:00:00Z"));
  CHECK(of_day[0].period_end == parse_time("2026-03-11T00:00:00Z"));
  const auto week =
      f.history.metrics({.scope_type = MetricScope::global, .metric_period = MetricPeriod::week});
  REQUIRE(week.size() == 1);
  CHECK(week[0].period_start == parse_time("2026-03-09T00:00:00Z"));  // a Monday
  CHECK(f.day(MetricScope::resource_type, "Deployment").size() == 1);
  CHECK(f.day(MetricScope::alert_type, "KubePodCrashLooping").size() == 1);
  CHECK(f.day(MetricScope::model, "m-1").size() == 1);
  CHECK(f.day(MetricScope::model, "m-2").empty());
}

TEST_CASE("refreshes at the same time leave what one alone would", "[metrics]") {
  Fixture f;
  std::atomic<int> recorded = 0;
  const auto refresh = [&] {
    while (recorded < 60) f.history.refresh_metrics();
    f.history.refresh_metrics();
  };
  std::thread one(refresh);
  std::thread other(refresh);
  for (int i = 0; i < 60; ++i) {
    f.record("m-" + std::to_string(i), noon - (i % 3) * 1h - 1min, i % 10 / 10.);
    ++recorded;
  }
  one.join();
  other.join();
  const auto stored = f.history.metrics();
  f.history.refresh_metrics(true);
  CHECK(stored == f.history.metrics());
  CHECK(f.day(MetricScope::global)[0].sample_size == 60);
}

TEST_CASE("what is refreshed step by step equals what is computed at once", "[metrics]") {
  Fixture f;
  std::mt19937 random(7);
  const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const std::vector<std::string> types{"restart_deployment", "scale_deployment", "rollback"};
  std::vector<std::string> ids;
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 40; ++i) {
      ids.push_back("s-" + std::to_string(ids.size()));
      const TimePoint at =
          noon - 20 * 24h + std::chrono::hours(pick(20 * 24)) + std::chrono::minutes(pick(60));
      f.record(ids.back(), at, pick(11) / 10., types[static_cast<std::size_t>(pick(3))],
               pick(2) == 0 ? "prod" : "shop");
    }
    // Late words about old actions, and actions that are forgotten.
    f.history.assess(ids[static_cast<std::size_t>(pick(static_cast<int>(ids.size())))], {.score = .05});
    const auto gone = ids.begin() + pick(static_cast<int>(ids.size()));
    f.history.erase(*gone);
    ids.erase(gone);
    f.history.refresh_metrics();
  }
  const auto step_by_step = f.history.metrics({.limit = 100'000});
  CHECK(step_by_step.size() > 100);
  const MetricRefresh full = f.history.refresh_metrics(true);
  CHECK(full.hours > 50);
  CHECK(f.history.metrics({.limit = 100'000}) == step_by_step);
}

TEST_CASE("so many scores that only their sums are kept give the same step by step as at once", "[metrics]") {
  Fixture f;
  std::mt19937 random(11);
  for (int day = 0; day < 8; ++day) {
    std::vector<Action> actions;
    for (int i = 0; i < 600; ++i) {
      Action action =
          restart(fmt::format("h-{}-{}", day, i), noon - 24h * (9 - day) + std::chrono::minutes(i));
      action.outcome = completed(static_cast<double>(random() % 1001) / 1000);
      actions.push_back(action);
    }
    f.history.record(actions);
    if (day % 3 == 2) f.history.refresh_metrics();
  }
  // A late word, and one about an action that is forgotten.
  f.history.refresh_metrics();
  f.history.assess("h-0-7", {.score = 1});
  f.history.erase("h-5-70");
  f.history.refresh_metrics();
  const auto step_by_step = f.history.metrics({.limit = 100'000});
  f.history.refresh_metrics(true);
  CHECK(f.history.metrics({.limit = 100'000}) == step_by_step);

  const auto days = f.day(MetricScope::global);
  std::int64_t all = 0;
  for (const EffectivenessMetric& metric : days) all += metric.sample_size;
  CHECK(all == 8 * 600 - 1);
  const auto month =
      f.history.metrics({.scope_type = MetricScope::global, .metric_period = MetricPeriod::month});
  std::int64_t in_months = 0;
  for (const EffectivenessMetric& metric : month) {
    in_months += metric.sample_size;
    CHECK(metric.average_score == Approx(.5).margin(.05));
    CHECK(metric.median_score == Approx(.5).margin(.05));
    CHECK(metric.std_deviation == Approx(.289).margin(.02));
  }
  CHECK(in_months == all);
}

TEST_CASE("a fall against the day before is significant, and raises the alarm", "[metrics]") {
  Fixture f;
  for (int i = 0; i < 30; ++i) {
    f.record("y-" + std::to_string(i), noon - 24h + i * 1min, .9 + i % 3 * .01);
    f.record("t-" + std::to_string(i), noon - 1h + i * 1min, .2 + i % 3 * .01);
  }
  f.history.refresh_metrics();
  const auto days = f.day(MetricScope::global);
  REQUIRE(days.size() == 2);
  CHECK(days[0].statistical_significance < .001);
  CHECK(days[0].adjusted_significance >= days[0].statistical_significance);
  CHECK(days[0].alarm);
  CHECK_FALSE(days[1].alarm);
  CHECK_FALSE(days[1].statistical_significance);
}

TEST_CASE("a few scores are told from enough", "[metrics]") {
  Fixture f;
  for (int i = 0; i < 4; ++i) f.record("f-" + std::to_string(i), noon - 1h + i * 1min, 1);
  f.history.refresh_metrics();
  const auto metric = f.day(MetricScope::global).at(0);
  CHECK_FALSE(metric.min_sample_size_met);
  CHECK(metric.trend_direction == "unknown");
  CHECK_FALSE(metric.trend_confidence);
  CHECK(metric.confidence_interval_lower < .6);
}

TEST_CASE("the metrics of one resource are made when they are asked for", "[metrics]") {
  Fixture f;
  for (int i = 0; i < 6; ++i) f.record("r-" + std::to_string(i), noon - 6h + i * 1h, .5);
  f.record("other", noon - 1h, .1, "restart_deployment", "shop");
  const auto metrics =
      f.history.metrics({.scope_type = MetricScope::resource,
                         .resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web"},
                         .metric_period = MetricPeriod::day});
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0].sample_size == 6);
  CHECK(metrics[0].average_score == .5);
  CHECK(error_text_of([&] { f.history.metrics({.scope_type = MetricScope::resource}); }).find("resource: ") ==
        0);
  // A resource implies its scope, and has no other.
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  CHECK(f.history.metrics({.resource = web, .metric_period = MetricPeriod::day}) == metrics);
  CHECK(error_text_of([&] {
          f.history.metrics({.scope_type = MetricScope::global, .resource = web});
        }).find("scope_type: ") == 0);
  CHECK(error_text_of([&] {
          f.history.metrics({.scope_value = "prod", .resource = web});
        }).find("scope_value: ") == 0);
  CHECK(error_text_of([&] { f.history.metrics({.limit = 0}); }).find("limit: ") == 0);
}

TEST_CASE("since and until choose the periods of a resource, and take nothing from them", "[metrics]") {
  Fixture f;
  for (int i = 0; i < 8; ++i) f.record("r-" + std::to_string(i), noon - 96h + i * 12h, .1 * i);
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  const auto all = f.history.metrics({.resource = web});
  const auto chosen = f.history.metrics({.resource = web, .since = noon - 49h, .until = noon - 25h});
  const auto inside = [&](const EffectivenessMetric& metric) {
    return metric.period_end > noon - 49h && metric.period_start < noon - 25h;
  };
  std::vector<EffectivenessMetric> expected;
  std::ranges::copy_if(all, std::back_inserter(expected), inside);
  REQUIRE(expected.size() > 2);
  CHECK(chosen == expected);
  // The newest first, whatever their length, as those of other scopes are.
  const auto newest = f.history.metrics({.resource = web, .limit = 3});
  CHECK(newest == std::vector(all.begin(), all.begin() + 3));
  const auto period = [](const EffectivenessMetric& m) { return std::pair(m.period_start, m.period_end); };
  CHECK(std::ranges::is_sorted(all, std::greater(), period));
  CHECK(f.history.metrics({.resource = web, .since = TimePoint::min(), .until = TimePoint::max()}) == all);
  CHECK(f.history.metrics({.resource = web, .since = TimePoint::max()}).empty());
  CHECK(f.history.metrics({.resource = web, .until = TimePoint::min()}).empty());
}

TEST_CASE("an assessment that is due is given to one worker at a time", "[metrics]") {
  Fixture f;
  for (const auto& [id, due] :
       {std::pair("d-1", noon - 5min), std::pair("d-2", noon - 1min), std::pair("d-3", noon + 1h)}) {
    Action action = restart(id, noon - 1h);
    action.outcome = completed();
    action.outcome.effectiveness_due_at = due;
    f.history.record(action);
  }
  // What has not ended has no effect yet.
  Action executing = restart("d-0", noon - 1h);
  executing.outcome.status = Status::executing;
  executing.outcome.effectiveness_due_at = noon - 10min;
  f.history.record(executing);
  const auto ids = [](const std::vector<Trace>& traces) {
    std::vector<std::string> found;
    for (const Trace& trace : traces) found.push_back(trace.action_id);
    return found;
  };
  CHECK(ids(f.history.lease_assessments("a", 1, 60s)) == std::vector<std::string>{"d-1"});
  CHECK(ids(f.history.lease_assessments("b", 10, 60s)) == std::vector<std::string>{"d-2"});
  CHECK(f.history.lease_assessments("a", 10, 60s).empty());
  f.history.assess("d-1", {.score = .7});
  f.clock.advance(2min);
  // The lease of b has ended; what was assessed is not due any more.
  CHECK(ids(f.history.lease_assessments("a", 10, 60s)) == std::vector<std::string>{"d-2"});
  CHECK(error_text_of([&] { f.history.lease_assessments("", 1, 60s); }).find("worker: ") == 0);
  CHECK(error_text_of([&] { f.history.lease_assessments("a", 1, 0s); }).find("lease_seconds: ") == 0);
}
