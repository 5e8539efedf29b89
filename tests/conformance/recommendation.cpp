// What every engine promises about recommendations.
#include <catch2/catch.hpp>

#include "support/models.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

struct Fixture {
  Engine engine = GENERATE(from_range(engines()));
  bool semantic = GENERATE(true, false);
  TempFolder folder;
  FixedClock clock;
  History history = open(engine.uri(folder), {.tenant = "default", .semantic = semantic, .clock = clock});
  int recorded = 0;

  Fixture() { UNSCOPED_INFO(engine.name << (semantic ? " with" : " without") << " index"); }

  void record(std::string type, double score, std::string alert = "KubePodCrashLooping",
              std::string reasoning = "The container crashes at start because its config is bad.") {
    ++recorded;
    Action action = restart("r-" + std::to_string(recorded), noon - 1h * recorded);
    action.action_type = std::move(type);
    action.alert_name = std::move(alert);
    action.model_reasoning = std::move(reasoning);
    action.outcome = completed(score);
    history.record(action);
  }

  Recommendations recommend(RecommendQuery query) {
    query.fresh = true;
    return history.recommend(query);
  }
};

}  // namespace

TEST_CASE("what worked for the alert is recommended, and what failed is advised against", "[recommend]") {
  Fixture f;
  for (const double score : {.9, .8, 1.}) f.record("rollback_deployment", score);
  for (const double score : {.1, 0., .2}) f.record("restart_deployment", score);
  f.record("expand_pvc", 1, "DiskFull", "The volume has no space left.");
  const Recommendations found =
      f.recommend({.text = "crashes at start, bad config", .alert_name = "KubePodCrashLooping"});
  REQUIRE_FALSE(found.actions.empty());
  const Recommendation& best = found.actions.front();
  CHECK(best.action_type == "rollback_deployment");
  CHECK(best.similar_cases == 3);
  CHECK(best.all_cases == 3);
  CHECK(best.examples.size() == 3);
  CHECK(best.lower < best.expected_success);
  CHECK_FALSE(best.reason.empty());
  REQUIRE(found.avoid.size() == 1);
  CHECK(found.avoid.front().action_type == "restart_deployment");
  CHECK(found.avoid.front().upper < best.lower);
  CHECK(found.fallback.empty() == f.semantic);
}

TEST_CASE("the situation may be that of a stored action, which does not speak for itself", "[recommend]") {
  Fixture f;
  f.record("rollback_deployment", .9);
  f.record("increase_memory", .9);
  const Recommendations found = f.recommend({.action_id = "r-2"});
  REQUIRE(found.actions.size() >= 1);
  CHECK(found.actions.front().action_type == "rollback_deployment");
  for (const Recommendation& each : found.actions) {
    for (const RecommendedCase& example : each.examples) CHECK(example.action_id != "r-2");
  }
}

TEST_CASE("another resource's experience counts, and a filter keeps it out", "[recommend]") {
  Fixture f;
  f.record("rollback_deployment", .9);
  const RecommendQuery query{.alert_name = "KubePodCrashLooping",
                             .resource = {.kind = "Deployment", .namespace_ = "shop", .name = "cart"}};
  CHECK(f.recommend(query).actions.size() == 1);
  RecommendQuery filtered = query;
  filtered.where = Json::object({{"namespace", "shop"}});
  CHECK(f.recommend(filtered).actions.empty());
}

TEST_CASE("looking is not recommended", "[recommend]") {
  Fixture f;
  f.record("kubectl_get", 1);
  CHECK(f.recommend({.alert_name = "KubePodCrashLooping"}).actions.empty());
}

TEST_CASE("what the guard would refuse is to be avoided, with the reason", "[recommend]") {
  Fixture f;
  const auto flip = [&](std::string id, int from, int to) {
    Action action = scale(std::move(id), from, to, *f.clock.time);
    const Verdict verdict = f.history.propose(action);
    if (verdict.allowed()) {
      Outcome outcome = completed(.9);
      outcome.resource_state_after = Json::object({{"replicas", to}});
      f.history.complete(action.action_id, outcome);
    }
    f.clock.advance(5min);
    return verdict.allowed();
  };
  REQUIRE(flip("f-1", 3, 5));
  REQUIRE(flip("f-2", 5, 3));
  REQUIRE_FALSE(flip("f-3", 3, 5));
  const Recommendations found = f.recommend(
      {.alert_name = "HighLoad", .resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web"}});
  REQUIRE_FALSE(found.avoid.empty());
  CHECK(found.avoid.front().action_type == "scale_deployment");
  CHECK(found.avoid.front().reason.find("scale-oscillation is in force") != std::string::npos);
  for (const Recommendation& each : found.actions) CHECK(each.action_type != "scale_deployment");
}

TEST_CASE("an unclear question is refused with the field's name", "[recommend]") {
  History history = open("memory:");
  CHECK(error_text_of([&] { history.recommend({}); }).find("recommend: give a text") == 0);
  CHECK(error_text_of([&] { history.recommend({.text = "x", .limit = 0}); }).find("limit: ") == 0);
  CHECK(error_text_of([&] { history.recommend({.text = "x", .neighbours = 501}); }).find("neighbours: ") ==
        0);
  CHECK(error_code_of([&] { history.recommend({.action_id = "nobody"}); }) == ErrorCode::not_found);
  CHECK(history.recommend({.text = "anything"}).actions.empty());
}

TEST_CASE("a situation that is like nothing says so instead of recommending what worked elsewhere",
          "[recommend]") {
  Fixture f;
  for (const double score : {.9, .8, 1.}) f.record("rollback_deployment", score);
  f.record("expand_pvc", 1, "DiskFull", "The volume has no space left.");
  const Recommendations known = f.recommend({.text = "crashes at start, bad config"});
  CHECK(known.supported);
  CHECK(known.likeness >= .15);
  REQUIRE_FALSE(known.actions.empty());
  CHECK(known.actions.front().supported);
  CHECK(known.actions.front().reason.find("worked in") == 0);
  for (const char* text : {"xyzzy plugh", "book a table for two people at eight"}) {
    const Recommendations unknown = f.recommend({.text = text});
    INFO(to_json(unknown));
    CHECK_FALSE(unknown.supported);
    CHECK(unknown.likeness < .15);
    for (const Recommendation& each : unknown.actions) {
      CHECK_FALSE(each.supported);
      CHECK(each.reason.find("no case like this is known") == 0);
    }
    const std::string context = f.history.context({.text = text}).content;
    CHECK(context.find(": worked in") == std::string::npos);
    CHECK((unknown.actions.empty() || context.find("no case like this is known") != std::string::npos));
  }
  // The alert is known, whatever its words are.
  CHECK(f.recommend({.text = "xyzzy", .alert_name = "DiskFull"}).supported);
}

TEST_CASE("a model to which all texts are alike supports no more than others", "[recommend]") {
  for (const float common : {0.F, 1.F, 3.F}) {
    FixedClock clock;
    History history = open("memory:", {.model = std::make_shared<Crowded>(common), .clock = clock});
    const auto record = [&](const char* id, const char* type, const char* alert, const char* reasoning) {
      Action action = restart(id, noon - 1h);
      action.action_type = type;
      action.alert_name = alert;
      action.model_reasoning = reasoning;
      action.outcome = completed(.9);
      history.record(action);
    };
    record("r-1", "rollback_deployment", "CrashLoop", "The container crashes at start, its config is bad.");
    record("r-2", "expand_pvc", "DiskFull", "The volume has no space left for the journal.");
    record("r-3", "renew_certificate", "HandshakeFails", "The certificate of the gateway has expired.");
    const auto asked = [&](const char* text) { return history.recommend({.text = text, .fresh = true}); };
    INFO(common);
    CHECK(asked("the container crashes because of a bad config").supported);
    CHECK(asked("certificate expired").supported);
    CHECK_FALSE(asked("book two tickets for tonight").supported);
    CHECK_FALSE(asked("he paints landscapes in watercolour").supported);
  }
}
