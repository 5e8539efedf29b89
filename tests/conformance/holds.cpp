// What every engine promises about legal holds. Runs over each of them.
#include <catch2/catch.hpp>

#include "conformance/retention_fixture.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("a legal hold keeps everything, erase too", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 10);
  f.days_of("db", 10);
  const RetentionPolicy short_lived{.max_actions = 1, .strategy = RetentionStrategy::oldest_first};
  RetentionPolicy held = short_lived;
  held.legal_hold = true;
  f.history.set_retention_policy(short_lived);
  f.history.set_retention_policy(held, web);
  f.history.apply_retention();
  CHECK(f.ids().size() == 11);
  CHECK(error_code_of([&] { f.history.erase("web-3"); }) == ErrorCode::conflict);
  CHECK(f.history.erase("db-1"));

  // A hold of the default holds every resource, and a policy given by hand does not outvote it.
  f.history.set_retention_policy(held);
  f.history.set_retention_policy(short_lived, web);
  CHECK(f.history.retention_policy(web).legal_hold);
  CHECK(f.history.apply_retention({.policy = short_lived}).removed == 0);
  CHECK(f.ids().size() == 10);
}

TEST_CASE("a hold on a resource holds what was done to it under its owner", "[retention]") {
  RetentionFixture f;
  const RetentionPolicy hold{.legal_hold = true};
  const Resource pod{.cluster = "eu", .kind = "Pod", .namespace_ = "prod", .name = "web-abc"};
  std::vector<Action> actions;
  for (int i = 1; i <= 6; ++i) {
    Action action = restart("p-" + std::to_string(i), noon - (20 + i) * day);
    action.resource = pod;
    if (i % 2 == 0) action.resource.name = "web-def";
    action.owner = "Deployment/web";
    actions.push_back(action);
  }
  f.history.record(actions);
  f.history.set_retention_policy(hold, pod);
  CHECK(f.history.retention_policy(pod).legal_hold);
  CHECK(error_text_of([&] { f.history.erase("p-1"); }).find("legal hold") != std::string::npos);
  CHECK(f.history.erase("p-2"));

  const RetentionRequest request{.policy = RetentionPolicy{.max_age = 7 * day}};
  const std::vector<RetentionPlan> plans = f.history.retention_plan(request);
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].going.size() == 2);
  CHECK(plans[0].kept_held == 3);
  CHECK(f.history.apply_retention(request).removed == 2);
  CHECK(f.ids() == std::set<std::string>{"p-1", "p-3", "p-5"});

  f.history.set_retention_policy(std::nullopt, pod);
  CHECK(f.history.apply_retention(request).removed == 3);
  f.expect_sound();
}

TEST_CASE("a hold on a pod that comes while its owner's actions go ends that there", "[retention]") {
  RetentionFixture f;
  const Resource pod{.kind = "Pod", .namespace_ = "prod", .name = "web-abc"};
  std::vector<Action> actions;
  for (int i = 1; i <= 10; ++i) {
    actions.push_back(restart("p-" + std::to_string(i), noon - (20 + i) * day));
    actions.back().resource = pod;
    actions.back().owner = "Deployment/web";
  }
  f.history.record(actions);
  RetentionRequest request{.policy = RetentionPolicy{.max_age = 7 * day}, .batch = 4};
  request.progress = [&](const RetentionProgress& progress) {
    if (progress.removed == 4) f.history.set_retention_policy(RetentionPolicy{.legal_hold = true}, pod);
  };
  CHECK(f.history.apply_retention(request).removed == 4);
  CHECK(f.ids().size() == 6);
}

TEST_CASE("a hold without a cluster holds what comes later in any", "[retention]") {
  RetentionFixture f;
  f.history.set_retention_policy(RetentionPolicy{.legal_hold = true}, web);
  Action action = restart("c-1", noon - 20 * day);
  action.resource.cluster = "c1";
  f.history.record(action);
  action.action_id = "c-2";
  action.resource = {.cluster = "c1", .kind = "Pod", .namespace_ = "prod", .name = "web-abc"};
  action.owner = "Deployment/web";
  f.history.record(action);
  Action other = restart("c-3", noon - 20 * day);
  other.resource = {.cluster = "c1", .kind = "Deployment", .namespace_ = "test", .name = "web"};
  f.history.record(other);

  Resource there = web;
  there.cluster = "c1";
  CHECK(f.history.retention_policy(there).legal_hold);
  CHECK(error_code_of([&] { f.history.erase("c-1"); }) == ErrorCode::conflict);
  CHECK(error_code_of([&] { f.history.erase("c-2"); }) == ErrorCode::conflict);
  CHECK(f.history.apply_retention({.policy = RetentionPolicy{.max_age = 7 * day}}).removed == 1);
  CHECK(f.ids() == std::set<std::string>{"c-1", "c-2"});
  f.history.set_retention_policy(std::nullopt, web);
  CHECK(f.history.erase("c-1"));
}

TEST_CASE("a hold is refused where what is gone could be meant, and what was acted on again is there",
          "[retention]") {
  RetentionFixture f;
  for (const char* cluster : {"c1", "c2"}) {
    Action action = restart(cluster, noon - 2 * day);
    action.resource.cluster = cluster;
    f.history.record(action);
  }
  Resource first = web;
  first.cluster = "c1";
  f.history.set_guard_policy(first, {.min_occurrences = 7});
  f.clock.advance(1h);
  CHECK(f.history.resource_deleted(first));
  const auto text = [&] {
    return error_text_of([&] { f.history.set_retention_policy(RetentionPolicy{.legal_hold = true}, web); });
  };
  const std::string_view both = "could be of cluster \"c1\"";
  CHECK(text().find(both) != std::string::npos);
  CHECK_FALSE(f.history.guard_policy(web).min_occurrences);
  f.clock.advance(1h);
  Action again = restart("again", noon + 2h);
  again.resource.cluster = "c1";
  f.history.record(again);
  CHECK(text().find(both) != std::string::npos);
  CHECK(error_text_of([&] { f.history.guard_policy(web); }).find(both) != std::string::npos);
}

TEST_CASE("a hold that comes while a run is under way ends it there", "[retention]") {
  RetentionFixture f;
  f.days_of("web", 20);
  RetentionPolicy policy{.max_actions = 2, .strategy = RetentionStrategy::oldest_first};
  f.history.set_retention_policy(policy, web);
  RetentionRequest request{.batch = 5};
  request.progress = [&](const RetentionProgress& progress) {
    if (progress.removed != 10) return;
    policy.legal_hold = true;
    f.history.set_retention_policy(policy, web);
  };
  const RetentionRun run = f.history.apply_retention(request);
  CHECK(run.removed == 10);
  CHECK(f.ids().size() == 10);
  CHECK(run.operations[0].records_after == 10);
  f.expect_sound();
}

TEST_CASE("who leaves out a cluster or an API group means the only resource of that name", "[retention]") {
  RetentionFixture f;
  Action action = restart("r-1", noon - day);
  action.resource = {.cluster = "eu", .api_version = "argoproj.io/v1alpha1", .kind = "Canary", .name = "web"};
  f.history.record(action);
  const Resource canary{.kind = "Canary", .name = "web"};
  f.history.set_retention_policy(RetentionPolicy{.legal_hold = true}, canary);
  CHECK(error_code_of([&] { f.history.erase("r-1"); }) == ErrorCode::conflict);
  CHECK(f.history.retention_policy({.cluster = "eu", .kind = "Canary", .name = "web"}).legal_hold);
  CHECK_FALSE(f.history.retention_policy({.cluster = "us", .kind = "Canary", .name = "web"}).legal_hold);
  f.history.set_guard_policy(canary, {.min_occurrences = 9});
  CHECK(f.history.guard_policy(canary).min_occurrences == 9);
  CHECK(f.history.context({.resource = canary}).content.find("restart_deployment") != std::string::npos);

  action.action_id = "r-2";
  action.resource.cluster = "us";
  f.history.record(action);
  const auto hold = [&](const Resource& resource) {
    return error_text_of([&] { f.history.set_retention_policy(RetentionPolicy{}, resource); });
  };
  CHECK(hold(canary).starts_with(
      "resource: Canary/web could be of cluster \"eu\" and API group \"argoproj.io\", or of"));
  CHECK(hold({.cluster = "us", .kind = "Canary", .name = "web"}).empty());
  // Advice has other facts to go by.
  CHECK_NOTHROW(f.history.recommend({.resource = canary}));
  // What is gone is meant only where nothing else is, except for what is kept: its actions are still there.
  f.history.resource_deleted(
      {.cluster = "us", .api_version = "argoproj.io/v1alpha1", .kind = "Canary", .name = "web"});
  CHECK_FALSE(hold(canary).empty());
  CHECK(f.history.guard_policy(canary).min_occurrences == 9);
  CHECK(hold({.cluster = "eu", .kind = "Canary", .name = "web"}).empty());
  CHECK_FALSE(f.history.retention_policy({.cluster = "eu", .kind = "Canary", .name = "web"}).legal_hold);
  // What is named as a resource is itself, whatever else has its name.
  action.action_id = "r-3";
  action.resource = canary;
  f.history.record(action);
  CHECK(hold(canary).empty());
}
