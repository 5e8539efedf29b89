// What every engine promises about retention. Runs over each of them.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "conformance/retention_fixture.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("nothing expires by default", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 5);
  CHECK(f.history.retention_policies().empty());
  CHECK(f.history.retention_policy(web) == RetentionPolicy{});
  CHECK(f.history.retention_plan().empty());
  const RetentionRun run = f.history.apply_retention();
  CHECK(run.removed == 0);
  REQUIRE(run.operations.size() == 1);
  CHECK(run.operations[0].operation_status == "completed");
  CHECK(f.ids().size() == 5);
}

TEST_CASE("firings of alerts go by their age, but not what is held or the guard still counts",
          "[retention]") {
  RetentionFixture f;
  const auto fire = [&](const Resource& resource, std::chrono::days ago) {
    f.history.observe({.name = "HighLoad", .resource = resource, .starts_at = noon - ago});
  };
  const auto left = [&] { return f.history.repository().resources().alerts(noon - 100 * day, noon).size(); };
  for (int i = 1; i <= 40; ++i) {
    fire(web, i * day);
    fire(db, i * day);
  }
  REQUIRE(left() == 80);
  CHECK(f.history.apply_retention().alerts == 0);
  const RetentionRequest of_web{.resource = web, .policy = RetentionPolicy{.max_age = std::chrono::days(1)}};
  f.days_of("web", 1);
  CHECK(f.history.apply_retention(of_web).alerts == 0);
  f.history.set_retention_policy(RetentionPolicy{.legal_hold = true}, db);
  const RetentionRequest old{.policy = RetentionPolicy{.max_age = std::chrono::days(30)}, .batch = 3};
  CHECK(f.history.apply_retention(old).alerts == 10);
  CHECK(left() == 70);
  // The longest window of the shipped patterns is shorter than a day.
  const RetentionRequest young{.policy = RetentionPolicy{.max_age = std::chrono::days(1)}};
  CHECK(f.history.apply_retention(young).alerts == 23);
  CHECK(left() == 47);
  f.history.set_retention_policy(RetentionPolicy{.legal_hold = true});
  f.history.set_retention_policy({}, db);
  CHECK(f.history.apply_retention(young).alerts == 0);
  f.history.set_retention_policy({});
  CHECK(f.history.apply_retention(young).alerts == 33);
}

TEST_CASE("runs at the same time count each action once", "[retention]") {
  const Engine engine = GENERATE(from_range(engines()));
  const TempFolder folder;
  std::atomic<int> moments = 0;
  const Clock clock = [&] { return noon + std::chrono::microseconds(++moments); };
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = false, .clock = clock});
  std::vector<Action> batch;
  for (int i = 1; i <= 200; ++i) {
    Action action = restart("web-" + std::to_string(i), noon - i * day);
    action.outcome = completed();
    batch.push_back(std::move(action));
  }
  history.record(batch);

  std::atomic<std::int64_t> removed = 0;
  std::vector<std::thread> runs;
  for (int i = 0; i < 4; ++i) {
    runs.emplace_back([&] {
      const RetentionPolicy policy{.max_actions = 20, .strategy = RetentionStrategy::oldest_first};
      removed += history.apply_retention({.policy = policy, .batch = 3}).removed;
    });
  }
  for (std::thread& run : runs) run.join();
  CHECK(removed == 180);
  CHECK(history.history({.limit = 1000}).traces.size() == 20);
  std::int64_t logged = 0;
  for (const RetentionOperation& operation : history.retention_operations(100))
    logged += operation.records_deleted;
  CHECK(logged == 180);
  CHECK(history.repository().maintenance().verify().empty());
}

TEST_CASE("a resource follows its own policy, all others the default", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 40);
  f.days_of("db", 40);
  const RetentionPolicy own{.max_actions = 7, .strategy = RetentionStrategy::oldest_first};
  const RetentionPolicy shared{.max_age = 30 * day, .strategy = RetentionStrategy::oldest_first};
  f.history.set_retention_policy(own, web);
  f.history.set_retention_policy(shared);
  CHECK(f.history.retention_policy(web) == own);
  CHECK(f.history.retention_policy(db) == shared);
  CHECK(f.history.retention_policies().size() == 2);
  CHECK(f.history.retention_policies()[1].resource.name == "web");

  const std::vector<RetentionPlan> plans = f.history.retention_plan();
  REQUIRE(plans.size() == 2);
  CHECK(plans[0].going.size() + plans[1].going.size() == 33 + 10);
  CHECK(f.ids().size() == 80);

  const RetentionRun run = f.history.apply_retention({.batch = 4});
  CHECK(run.removed == 43);
  CHECK(run.operations.size() == 2);
  const std::set<std::string> left = f.ids();
  CHECK(left.size() == 37);
  CHECK(left.contains("web-7"));
  CHECK_FALSE(left.contains("web-8"));
  CHECK(left.contains("db-30"));
  CHECK_FALSE(left.contains("db-31"));
  CHECK(f.history.retention_plan().empty());

  f.history.set_retention_policy(std::nullopt, web);
  CHECK(f.history.retention_policy(web) == shared);
  f.history.set_retention_policy(std::nullopt);
  CHECK(f.history.retention_policies().empty());
  f.expect_sound();
}

TEST_CASE("what a resource's own policy lets the guard read stays", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 10);
  f.days_of("db", 10);
  f.history.set_guard_policy(web, {.window = 6 * day});
  f.history.apply_retention({.policy = RetentionPolicy{.max_age = 2 * day}});
  const std::set<std::string> left = f.ids();
  CHECK(left.contains("web-5"));
  CHECK_FALSE(left.contains("web-7"));
  CHECK_FALSE(left.contains("db-3"));
}

TEST_CASE("what went is out of search and counters, and its id stays taken", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 10);
  REQUIRE(f.history.wait_indexed(60s));
  f.history.set_retention_policy(RetentionPolicy{.max_actions = 3}, web);
  f.history.apply_retention({.resource = web});
  REQUIRE(f.history.wait_indexed(60s));
  CHECK(f.history.health().index.rows == 3);
  for (const Hit& hit : f.history.similar({.text = "pod crashes"}))
    CHECK(f.ids().contains(hit.trace.action_id));
  CHECK(f.history.summaries()[0].total_actions == 3);
  CHECK(error_code_of([&] { f.history.record(restart("web-10")); }) == ErrorCode::conflict);
  CHECK_FALSE(f.history.get("web-10"));
  f.expect_sound();
}

TEST_CASE("each run leaves a full row for each resource", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 10);
  const RetentionPolicy policy{.max_actions = 4,
                               .max_age = 8 * day,
                               .strategy = RetentionStrategy::effectiveness_based,
                               .compact = true};
  f.history.set_retention_policy(policy, web);
  const RetentionRun run = f.history.apply_retention({.batch = 2});
  const std::vector<RetentionOperation> stored = f.history.retention_operations();
  REQUIRE(stored.size() == 1);
  const RetentionOperation& o = stored[0];
  CHECK(to_json(o) == to_json(run.operations[0]));
  CHECK(o.run_id == run.run_id);
  CHECK(o.operation_type == "compact");
  CHECK(o.strategy_used == "effectiveness-based");
  CHECK(o.records_before == 10);
  CHECK(o.records_after == 4);
  CHECK(o.records_deleted == 6);
  CHECK(o.records_archived == 6);
  CHECK(o.retention_criteria == Json::object({{"max_actions", 4}, {"max_age_days", 8}}));
  CHECK(o.preserved_criteria.text().find("\"high_effectiveness\":10") != std::string::npos);
  CHECK(o.operation_start == noon);
  CHECK(o.operation_end == noon);
  CHECK(o.operation_duration_ms == 0);
  CHECK(o.operation_status == "completed");
  CHECK(o.error_message.empty());
}

TEST_CASE("what is compacted leaves sums that add up over runs", "[retention]") {
  RetentionFixture f;
  std::vector<Action> batch;
  for (int i = 0; i < 6; ++i) {
    Action action = restart("a-" + std::to_string(i), parse_time("2026-02-27T00:00:00Z") + i * day);
    action.outcome = completed(i < 4 ? std::optional(.5) : std::nullopt);
    if (i == 5) action.outcome.status = Status::failed;
    action.outcome.execution_duration_ms = 100;
    batch.push_back(std::move(action));
  }
  f.history.record(batch);
  RetentionRequest request{
      .resource = web,
      .policy =
          RetentionPolicy{.max_actions = 3, .strategy = RetentionStrategy::oldest_first, .compact = true}};
  f.history.apply_retention(request);
  request.policy->max_actions = 1;
  f.history.apply_retention(request);
  const std::vector<CompactedActions> rows = f.history.compacted(web);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].period_start == parse_time("2026-02-01T00:00:00Z"));
  CHECK(rows[0].actions == 2);
  CHECK(rows[1].period_start == parse_time("2026-03-01T00:00:00Z"));
  CHECK(rows[1].actions == 3);
  CHECK(rows[1].completed == 3);
  CHECK(rows[1].assessed == 2);
  CHECK(rows[1].score_sum == 1.0);
  CHECK(rows[1].score_square_sum == .5);
  CHECK(rows[1].duration_ms_sum == 300);
  CHECK(rows[1].first_at == parse_time("2026-03-01T00:00:00Z"));
  CHECK(rows[1].last_at == parse_time("2026-03-03T00:00:00Z"));
  CHECK(rows[0].alert_name == "KubePodCrashLooping");
  CHECK(f.history.compacted(db).empty());
}

TEST_CASE("a run that is broken off keeps what it did and says so", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 20);
  RetentionRequest request{.policy = RetentionPolicy{.max_actions = 2, .strategy = {}}, .batch = 5};
  request.progress = [](const RetentionProgress& progress) {
    if (progress.removed == 10) throw std::runtime_error("enough");
  };
  CHECK_THROWS_WITH(f.history.apply_retention(request), "enough");
  CHECK(f.ids().size() == 10);
  const RetentionOperation row = f.history.retention_operations().at(0);
  CHECK(row.operation_status == "failed");
  CHECK(row.error_message == "enough");
  CHECK(row.records_deleted == 10);
  request.progress = {};
  CHECK(f.history.apply_retention(request).removed == 8);
  f.expect_sound();
}

TEST_CASE("a row whose process ended is given up by a later run", "[retention]") {
  RetentionFixture f;
  RetentionOperation row;
  row.operation_id = row.run_id = "lost";
  row.operation_type = "cleanup";
  row.strategy_used = "oldest-first";
  row.operation_start = row.created_at = row.updated_at = noon;
  row.operation_status = "running";
  f.history.repository().retention().put(row);
  f.clock.advance(5min);
  f.history.apply_retention();
  const auto status = [&] {
    for (const RetentionOperation& operation : f.history.retention_operations()) {
      if (operation.operation_id == "lost") return operation.operation_status;
    }
    return std::string("gone");
  };
  CHECK(status() == "running");
  f.clock.advance(1h);
  f.history.apply_retention();
  CHECK(status() == "failed");
}

TEST_CASE("pattern-aware retention keeps what detections cite and what worked best", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 30);
  Action good = restart("good", noon - 29 * day);
  good.outcome = completed(.95);
  f.history.record(good);
  PatternStore& patterns = f.history.repository().patterns();
  const std::string id = f.history.get("web-1")->resource_id;
  const auto detect = [&](std::string cited, int days_ago, const std::string& scope) {
    Detection detection;
    detection.pattern_id = "ineffective-loop";
    detection.pattern_type = PatternType::ineffective_loop;
    detection.scope = scope;
    detection.resources = {id};
    detection.action_ids = {std::move(cited)};
    detection.as_of = detection.first_at = detection.last_at = noon - days_ago * day;
    patterns.put(detection);
  };
  detect("web-30", 30, "resource:" + id);
  detect("web-28", 28, "resource:" + id);
  detect("web-27", 27, "correlation:c-1");
  RetentionPolicy policy{.max_age = 20 * day, .pattern_examples = 2, .high_effectiveness = 1};
  f.history.set_retention_policy(policy);
  const std::vector<RetentionPlan> plans = f.history.retention_plan();
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].kept_cited == 2);
  CHECK(plans[0].kept_best == 1);
  f.history.apply_retention();
  const std::set<std::string> left = f.ids();
  // Two examples of the pattern, the newest ones; the third detection's action went.
  CHECK(left.contains("web-28"));
  CHECK(left.contains("web-27"));
  CHECK_FALSE(left.contains("web-30"));
  CHECK(left.contains("good"));
  CHECK(left.size() == 23);
}

TEST_CASE("what the guard still needs stays, whatever the policy", "[retention]") {
  RetentionFixture f;
  std::vector<Action> batch = {scale("f-1", 3, 5, noon - 10min), scale("f-2", 5, 3, noon - 5min)};
  for (Action& action : batch) {
    action.outcome = completed();
    action.outcome.resource_state_after = action.action_parameters;
  }
  f.history.record(batch);
  f.history.set_retention_policy(
      RetentionPolicy{.max_actions = 1, .strategy = RetentionStrategy::oldest_first});
  CHECK(f.history.apply_retention().removed == 0);
  CHECK_FALSE(f.history.propose(scale("f-3", 3, 5, noon)).allowed());
}

TEST_CASE("actions without a known resource go by age under the default policy", "[retention]") {
  RetentionFixture f;
  std::vector<Action> batch;
  for (int i = 1; i <= 10; ++i) {
    Action action = restart("u-" + std::to_string(i), noon - i * day);
    action.resource = {};
    action.outcome = completed();
    batch.push_back(std::move(action));
  }
  f.history.record(batch);
  f.history.set_retention_policy(RetentionPolicy{.max_actions = 2, .max_age = 7 * day});
  const RetentionRun run = f.history.apply_retention();
  CHECK(run.removed == 3);
  CHECK(run.operations[0].resource_id.empty());
  CHECK(f.ids().size() == 7);
  f.expect_sound();
}

TEST_CASE("a policy may be set before the first action of a resource", "[retention]") {
  RetentionFixture f;
  f.history.set_retention_policy(RetentionPolicy{.max_actions = 2}, web);
  CHECK(f.history.summaries().empty());
  f.days_of("web", 5);
  REQUIRE(f.history.summaries().size() == 1);
  CHECK(f.history.summaries()[0].last_action_at == noon - day);
  CHECK(f.history.apply_retention().removed == 3);
}

TEST_CASE("bad requests are refused with the field's name", "[retention]") {
  RetentionFixture f;
  CHECK(error_text_of([&] {
          f.history.set_retention_policy(RetentionPolicy{.max_actions = 0});
        }).starts_with("max_actions: "));
  CHECK(error_text_of([&] { f.history.retention_plan({.resource = {.kind = "Deployment"}}); }) ==
        "resource: kind and name are required");
  CHECK(error_text_of([&] { f.history.apply_retention({.batch = 0}); }).starts_with("batch: "));
  CHECK(error_text_of([&] { f.history.retention_operations(0); }).starts_with("limit: "));
}
