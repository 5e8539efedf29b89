// What every engine promises about patterns, overrides and what the host hears. Runs over each of them.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "conformance/brakes_fixture.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

// A memory that is opened more than once, which one in memory cannot be.
struct Shared {
  Engine engine =
      GENERATE(filter([](const Engine& each) { return each.name != "memory"; }, from_range(engines())));
  TempFolder folder;
  std::string uri = engine.uri(folder);

  Shared() { UNSCOPED_INFO(engine.name); }

  History open(const std::string& tenant) const {
    return actionhist::open(uri, {.tenant = tenant, .semantic = false});
  }
};

}  // namespace

TEST_CASE("a pattern is stored with all that it says, and removed", "[brakes]") {
  BrakesFixture f;
  Pattern mine;
  mine.pattern_id = "mine";
  mine.pattern_type = PatternType::ineffective_loop;
  mine.pattern_name = "Mine";
  mine.description = "All of it.";
  mine.min_occurrences = 2;
  mine.time_window = 45min;
  mine.action_sequence = {"restart_pod", "scale_deployment"};
  mine.threshold_config = Json::object({{"confidence_drop", .2}, {"effectiveness_threshold", .3}});
  mine.resource_types = {"Deployment"};
  mine.namespaces = {"prod"};
  mine.label_selectors = Json::object({{"app", "web"}});
  mine.prevention_strategy = Prevention::alternative_action;
  mine.prevention_parameters = Json::object({{"cooling_period_minutes", 30}});
  mine.alert_channels = {"slack", "pagerduty"};
  mine.alert_severity = "critical";
  mine.shadow = true;
  f.history.put_pattern(mine);
  const auto stored = f.history.patterns();
  const auto found = std::find_if(stored.begin(), stored.end(),
                                  [](const Pattern& each) { return each.pattern_id == "mine"; });
  REQUIRE(found != stored.end());
  CHECK(found->created_at == noon);
  Pattern expected = mine;
  expected.created_at = expected.updated_at = noon;
  CHECK(*found == expected);
  CHECK(parse_pattern(to_json(*found)) == expected);

  f.clock.advance(1h);
  mine.shadow = false;
  f.history.put_pattern(mine);
  const auto again = f.history.patterns();
  const auto changed =
      std::find_if(again.begin(), again.end(), [](const Pattern& each) { return each.pattern_id == "mine"; });
  CHECK(changed->created_at == noon);
  CHECK(changed->updated_at == noon + 1h);
  CHECK(f.history.remove_pattern("mine"));
  CHECK_FALSE(f.history.remove_pattern("mine"));
}

TEST_CASE("a shipped pattern that was removed stays removed", "[brakes]") {
  Shared f;
  const std::vector<Pattern> patterns = f.open("test").patterns();
  REQUIRE(patterns.size() == default_patterns().size());
  f.open("test").remove_pattern(patterns.front().pattern_id);
  CHECK(f.open("test").patterns().size() == patterns.size() - 1);
  for (const Pattern& pattern : patterns) f.open("test").remove_pattern(pattern.pattern_id);
  CHECK(f.open("test").patterns().empty());
  CHECK(f.open("other").patterns().size() == patterns.size());
}

TEST_CASE("several that open an empty memory at once ship the patterns once", "[brakes]") {
  Shared f;
  std::atomic<int> ready = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (++ready; ready < 4;) std::this_thread::yield();
      f.open("test").remove_pattern(default_patterns().front().pattern_id);
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(f.open("test").patterns().size() == default_patterns().size() - 1);
}

TEST_CASE("who changes one field of a locked pattern loses nothing that another changes", "[brakes]") {
  BrakesFixture f;
  constexpr int rounds = 10;
  const auto change = [&](const std::function<void(Pattern&, int)>& set) {
    for (int round = 1; round <= rounds; ++round) {
      f.history.repository().transaction([&] {
        f.history.repository().patterns().lock();
        f.change(PatternType::action_budget, [&](Pattern& pattern) { set(pattern, round); });
      });
    }
  };
  std::thread other(
      [&] { change([](Pattern& pattern, int round) { pattern.description = std::to_string(round); }); });
  change([](Pattern& pattern, int round) { pattern.time_window = std::chrono::minutes(60 + round); });
  other.join();
  const Pattern stored = f.pattern(PatternType::action_budget);
  CHECK(stored.description == std::to_string(rounds));
  CHECK(stored.time_window == std::chrono::minutes(60 + rounds));
}

TEST_CASE("a sequence of types is refused in its order, and in no other", "[brakes]") {
  BrakesFixture f;
  f.history.put_pattern(parse_pattern(R"({"pattern_id": "seesaw", "pattern_type": "resource-thrashing",
      "action_sequence": ["drain_node", "RestartPod", "cordon-node"], "prevention_strategy": "block-action"})"));
  const auto act = [&](std::string type) {
    Action action = restart("s-" + type, *f.clock.time);
    action.action_type = type;
    action.resource = {.kind = "Node", .name = "n1"};
    const Verdict verdict = f.history.propose(action);
    f.clock.advance(1min);
    return verdict;
  };
  REQUIRE(act("restart_pod").allowed());
  REQUIRE(act("drain_node").allowed());
  REQUIRE(act("cordon_node").allowed());  // drain, cordon: the restart came before
  REQUIRE(act("restart-pod").allowed());
  const Verdict refused = act("CordonNode");
  CHECK(refused.decision == Decision::blocked);
  REQUIRE(refused.detections.size() == 1);
  CHECK(refused.detections.front().sub_kind == "action-sequence");
  CHECK(refused.detections.front().action_ids ==
        std::vector<std::string>{"s-drain_node", "s-restart-pod", "s-CordonNode"});
  CHECK(act("uncordon_node").allowed());
}

TEST_CASE("a pattern that is only tried refuses nothing and is recorded", "[brakes]") {
  BrakesFixture f;
  f.change(PatternType::scale_oscillation, [](Pattern& pattern) { pattern.shadow = true; });
  f.flip_twice();
  const Verdict verdict = f.history.propose(f.flip("f-3", 3, 5));
  CHECK(verdict.allowed());
  CHECK(verdict.trace);
  CHECK(verdict.detections.empty());
  REQUIRE(verdict.shadowed.size() == 1);
  CHECK(verdict.shadowed.front().shadow);
  const auto stored = f.history.detections();
  REQUIRE(stored.size() == 1);
  CHECK(stored.front() == verdict.shadowed.front());
  CHECK(f.history.get("f-3"));
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  for (const Recommendation& each : f.history.recommend({.text = "load", .resource = web}).avoid)
    CHECK(each.reason.find("in force") == std::string::npos);
  // Meant seriously again, what is in force refuses.
  f.change(PatternType::scale_oscillation, [](Pattern& pattern) { pattern.shadow = false; });
  f.clock.advance(1min);
  CHECK_FALSE(f.history.propose(f.flip("f-4", 5, 3)).allowed());
}

TEST_CASE("an override lets a refused action pass, and is kept with its actor and reason", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  const Verdict verdict = f.history.propose(
      f.flip("f-3", 3, 5), {"sre@example.com", "The load test needs it; token=abc123secret"});
  CHECK(verdict.allowed());
  CHECK(verdict.overridden);
  REQUIRE(verdict.trace);
  REQUIRE(verdict.detections.size() == 1);
  CHECK(verdict.detections.front().overrides == 1);
  CHECK(f.history.get("f-3")->outcome.status == Status::pending);
  const auto kept = f.history.overrides();
  REQUIRE(kept.size() == 1);
  CHECK(kept.front().actor == "sre@example.com");
  CHECK(kept.front().action_id == "f-3");
  CHECK(kept.front().reason.find("load test") != std::string::npos);
  CHECK(kept.front().reason.find("abc123secret") == std::string::npos);
  CHECK(kept.front().detection_ids == std::vector<std::string>{verdict.detections.front().detection_id});
  // What is allowed anyway needs no override, and none is kept.
  CHECK_FALSE(f.history.propose(restart("r-1", *f.clock.time), {"me", "why not"}).overridden);
  CHECK(f.history.overrides().size() == 1);
  const auto refused = [&](Override given) {
    return error_text_of([&] { f.history.propose(restart("r-2", *f.clock.time), given); });
  };
  CHECK(refused({"", "x"}) == "override.actor: is required");
  CHECK(refused({"x", ""}) == "override.reason: is required");
}

TEST_CASE("the host hears of refusals with severity and channels, unless alerting is off", "[brakes]") {
  BrakesFixture f;
  f.change(PatternType::scale_oscillation, [](Pattern& pattern) {
    pattern.alert_severity = "critical";
    pattern.alert_channels = {"slack"};
  });
  f.flip_twice();
  CHECK(f.notices.empty());
  f.history.propose(f.flip("f-3", 3, 5));
  REQUIRE(f.notices.size() == 1);
  CHECK(f.notices[0].fresh);
  CHECK(f.notices[0].action_id == "f-3");
  CHECK(f.notices[0].alert_severity == "critical");
  CHECK(f.notices[0].alert_channels == std::vector<std::string>{"slack"});
  CHECK_FALSE(f.notices[0].detection.detection_id.empty());
  REQUIRE(f.history.propose(f.flip("f-3", 3, 5)).repeated);
  CHECK_FALSE(f.notices.back().fresh);
  f.notices.pop_back();
  f.history.propose(f.flip("f-4", 3, 5));
  REQUIRE(f.notices.size() == 2);
  CHECK_FALSE(f.notices[1].fresh);
  f.change(PatternType::scale_oscillation, [](Pattern& pattern) { pattern.alerting_enabled = false; });
  f.history.propose(f.flip("f-5", 3, 5));
  f.history.check(f.flip("f-6", 3, 5));
  CHECK(f.notices.size() == 2);
}

TEST_CASE("a webhook that cannot be read costs no answer that is stored by now", "[brakes]") {
  BrakesFixture f;
  Pattern pattern = f.pattern(PatternType::scale_oscillation);
  pattern.alert_webhook = Json::object({{"of_a_later_version", true}});
  f.history.repository().patterns().put(pattern);
  f.flip_twice();
  CHECK_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  CHECK(f.notices.size() == 1);
  CHECK(f.history.detections().size() == 1);
}

TEST_CASE("instead of what fails, what works better for the alert is named", "[brakes]") {
  BrakesFixture f;
  f.change(PatternType::scale_oscillation,
           [](Pattern& pattern) { pattern.prevention_strategy = Prevention::alternative_action; });
  f.flip_twice();
  const Verdict alone = f.history.check(f.flip("f-3", 3, 5));
  CHECK(alone.decision == Decision::escalate);
  CHECK_FALSE(alone.alternative);
  for (int i = 0; i < 4; ++i) {
    Action other = restart("o-" + std::to_string(i), *f.clock.time - 1h);
    other.alert_name = "HighLoad";
    other.action_type = "increase_memory";
    other.outcome = completed(.9);
    f.history.record(other);
  }
  const Verdict verdict = f.history.propose(f.flip("f-3", 3, 5));
  CHECK(verdict.decision == Decision::alternative);
  REQUIRE(verdict.alternative);
  CHECK(verdict.alternative->action_type == "increase_memory");
  CHECK(verdict.reason.find("increase_memory works better here") != std::string::npos);
  CHECK(to_json(verdict).find("\"alternative\":{\"action_type\":\"increase_memory\"") != std::string::npos);
}

TEST_CASE("a resource may have a window and a minimum of its own", "[brakes]") {
  BrakesFixture f;
  const Resource web{.kind = "Deployment", .namespace_ = "prod", .name = "web"};
  CHECK(f.history.guard_policy(web) == GuardPolicy{});
  f.history.set_guard_policy(web, {.min_occurrences = 4});
  CHECK(f.history.guard_policy(web).min_occurrences == 4);
  f.flip_twice();
  CHECK(f.history.check(f.flip("f-3", 3, 5)).allowed());
  f.history.set_guard_policy(web, {});
  CHECK_FALSE(f.history.check(f.flip("f-3", 3, 5)).allowed());
  f.history.set_guard_policy(web, {.window = 4min});
  CHECK(f.history.check(f.flip("f-3", 3, 5)).allowed());
  CHECK(error_text_of([&] {
          f.history.set_guard_policy(web, {.window = 0min});
        }).find("oscillation_window_minutes: ") == 0);
  CHECK(error_text_of([&] { f.history.guard_policy({}); }).find("resource: ") == 0);
}

TEST_CASE("a model that loses confidence can be asked for", "[brakes]") {
  BrakesFixture f;
  f.change(PatternType::scale_oscillation, [](Pattern& pattern) {
    pattern.threshold_config = Json::object({{"confidence_drop", .2}});
  });
  const auto with = [&](Action action, double confidence) {
    action.model_confidence = confidence;
    return action;
  };
  Action first = with(f.flip("f-1", 3, 5), .9);
  REQUIRE(f.history.propose(first).allowed());
  f.finish(first, 5);
  Action second = with(f.flip("f-2", 5, 3), .8);
  REQUIRE(f.history.propose(second).allowed());
  f.finish(second, 3);
  CHECK(f.history.check(with(f.flip("f-3", 3, 5), .85)).allowed());
  CHECK_FALSE(f.history.check(with(f.flip("f-3", 3, 5), .7)).allowed());
}

TEST_CASE("the history of each pod under one owner is found", "[brakes]") {
  BrakesFixture f;
  for (const char* name : {"web-1", "web-2"}) {
    Action action = restart(name);
    action.resource = {.kind = "Pod", .namespace_ = "prod", .name = name};
    action.owner = "Deployment/web";
    f.history.record(action);
  }
  const auto found = [&](std::string kind, std::string name) {
    return f.history.history({.resource = {.kind = std::move(kind), .name = std::move(name)}}).traces.size();
  };
  CHECK(found("Pod", "web-1") == 1);
  CHECK(found("Pod", "web-2") == 1);
  CHECK(found("Pod", "web-3") == 0);
  // Both are guarded as one resource, which is described by its own name.
  const auto summaries = f.history.summaries();
  REQUIRE(summaries.size() == 1);
  CHECK(summaries.front().resource.kind == "Deployment");
  CHECK(summaries.front().resource.name == "web");
  CHECK(summaries.front().total_actions == 2);
}

TEST_CASE("a pattern that says something impossible is refused with its field", "[brakes]") {
  const auto refusal = [](const char* json) { return error_text_of([&] { parse_pattern(json); }); };
  CHECK(refusal(R"({"pattern_id": "x", "pattern_type": "wobble"})").find("pattern_type: ") == 0);
  CHECK(refusal(R"({"pattern_id": "x", "pattern_type": "action-budget", "time_window_minutes": -5})")
            .find("time_window_minutes: ") == 0);
  CHECK(refusal(R"({"pattern_id": "x", "pattern_type": "action-budget", "action_sequence": []})")
            .find("action_sequence: must hold at least one type") == 0);
  CHECK(refusal(R"({"pattern_id": "x", "pattern_type": "action-budget", "action_sequence": [""]})")
            .find("action_sequence: ") == 0);
  CHECK(refusal(R"({"pattern_id": "x", "pattern_type": "action-budget", "label_selectors": {"tier": 3}})")
            .find("label_selectors.tier: ") == 0);
  CHECK(
      refusal(
          R"({"pattern_id": "x", "pattern_type": "action-budget", "threshold_config": {"confidence_drop": 2}})")
          .find("threshold_config.confidence_drop: ") == 0);
}

TEST_CASE("a pattern that selects nothing of what happens refuses nothing", "[brakes]") {
  BrakesFixture f;
  SECTION("by namespace") {
    f.change(PatternType::scale_oscillation, [](Pattern& pattern) { pattern.namespaces = {"elsewhere"}; });
  }
  SECTION("by labels") {
    f.change(PatternType::scale_oscillation, [](Pattern& pattern) {
      pattern.label_selectors = Json::object({{"tier", "none"}});
    });
  }
  f.flip_twice();
  CHECK(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  CHECK(f.history.detections().empty());
}

TEST_CASE("a refusal stands when the clock goes back", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  f.clock.advance(-1h);
  CHECK_FALSE(f.history.propose(f.flip("f-4", 3, 5)).allowed());
  CHECK(f.history.detections().size() == 1);
}

TEST_CASE("agents of different versions and models meet at one guard", "[brakes]") {
  BrakesFixture f;
  for (const auto& [id, from, to] : {std::tuple("v-1", 3, 5), std::tuple("v-2", 5, 3)}) {
    Action action = f.flip(id, from, to);
    action.actor = "scaler/1.4";
    action.model_used = "small-1";
    REQUIRE(f.history.propose(action).allowed());
    f.finish(action, to);
  }
  Action newer = f.flip("v-3", 3, 5);
  newer.actor = "scaler/2.0";
  newer.model_used = "large-2";
  newer.action_type = "ScaleDeployment";
  CHECK_FALSE(f.history.propose(newer).allowed());
}
