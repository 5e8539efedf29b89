#include <catch2/catch.hpp>

#include "core/json_io.hpp"
#include "timeline.hpp"

using namespace actionhist;

namespace {

std::vector<Detection> thrashing(const Timeline& timeline, const Look& look = {}) {
  return found(PatternType::resource_thrashing, timeline, look);
}

Timeline memories(std::initializer_list<int> megabytes, double step = 5) {
  Timeline timeline;
  for (auto to = megabytes.begin() + 1; to != megabytes.end(); ++to) {
    Trace& trace = timeline.add(step * static_cast<double>(timeline.traces.size()), "update_resources");
    trace.resource_state_before = Json::object({{"memory_mi", to[-1]}});
    trace.outcome.resource_state_after = Json::object({{"memory_mi", *to}});
  }
  return timeline;
}

Timeline types(std::initializer_list<const char*> names, double step = 3) {
  Timeline timeline;
  for (const char* name : names) timeline.add(step * static_cast<double>(timeline.traces.size()), name);
  return timeline;
}

}  // namespace

TEST_CASE("a setting that is reverted twice thrashes") {
  const auto all = thrashing(memories({512, 1024, 512, 1024}));
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "state-revert");
  CHECK(all[0].confidence == .75);
  CHECK(all[0].severity == Severity::medium);
  CHECK(all[0].action_ids.size() == 3);
  CHECK(thrashing(memories({512, 1024, 512})).empty());
  CHECK(thrashing(memories({512, 1024, 2048, 4096})).empty());
  CHECK(thrashing(memories({512, 1024, 512, 1024, 512}))[0].severity == Severity::high);
  CHECK(thrashing(memories({512, 1024, 512, 1024, 512, 1024}))[0].severity == Severity::critical);
}

TEST_CASE("a revert after more than 45 minutes is none") {
  CHECK(thrashing(memories({512, 1024, 512, 1024}, 46)).empty());
}

TEST_CASE("the number of replicas is another pattern's business") {
  CHECK(thrashing(Timeline::scales({3, 5, 3, 5, 3})).empty());
  Timeline hashed = Timeline::scales({3, 5, 3, 5, 3});
  for (std::size_t i = 0; i < hashed.traces.size(); ++i) {
    hashed.traces[i].pre_spec_hash = i % 2 == 0 ? "A" : "B";
    hashed.traces[i].outcome.post_spec_hash = i % 2 == 0 ? "B" : "A";
  }
  CHECK(thrashing(hashed).empty());
}

TEST_CASE("spec hashes that go A, B, A, B thrash") {
  Timeline timeline;
  const char* way[] = {"A", "B", "A", "B"};
  for (std::size_t i = 0; i < 3; ++i) {
    Trace& trace = timeline.add(10. * static_cast<double>(i), "apply_manifest");
    trace.pre_spec_hash = way[i];
    trace.outcome.post_spec_hash = way[i + 1];
  }
  REQUIRE(thrashing(timeline).size() == 1);
  CHECK(thrashing(timeline)[0].confidence == .75);

  SECTION("and a proposal of the same type goes on with it, without saying what it sets") {
    Trace& proposed = timeline.add(30, "apply_manifest");
    proposed.pre_spec_hash = "B";
    proposed.outcome = {};
    REQUIRE(thrashing(timeline, {.candidate = true}).size() == 1);
    proposed.action_type = "restart_pod";
    CHECK(thrashing(timeline, {.candidate = true}).empty());
  }
  SECTION("but A, B, C, D does not") {
    timeline.traces[1].outcome.post_spec_hash = "C";
    timeline.traces[2].pre_spec_hash = "C";
    timeline.traces[2].outcome.post_spec_hash = "D";
    CHECK(thrashing(timeline).empty());
  }
}

TEST_CASE("an image that goes to and fro thrashes, a phase that the cluster reports does not") {
  Timeline images;
  Timeline phases;
  for (int i = 0; i < 3; ++i) {
    const char* const from = i % 2 == 0 ? "web:1" : "web:2";
    const char* const to = i % 2 == 0 ? "web:2" : "web:1";
    Trace& image = images.add(5. * i, "set_image");
    image.resource_state_before = Json::object({{"image", from}});
    image.outcome.resource_state_after = Json::object({{"image", to}});
    Trace& phase = phases.add(5. * i, "set_image");
    phase.resource_state_before = Json::object({{"phase", from}});
    phase.outcome.resource_state_after = Json::object({{"phase", to}});
  }
  CHECK(thrashing(images).size() == 1);
  CHECK(thrashing(phases).empty());
}

TEST_CASE("two controllers that revert each other are in conflict") {
  Timeline timeline = memories({512, 1024, 512, 1024});
  for (std::size_t i = 0; i < 3; ++i) timeline.traces[i].actor = i % 2 == 0 ? "vpa" : "argocd";
  CHECK(thrashing(timeline)[0].sub_kind == "controller-conflict");
}

TEST_CASE("scale and increase_resources in turn every three minutes thrash") {
  const auto all =
      thrashing(types({"scale_deployment", "increase_resources", "ScaleReplicas", "increase_resources"}));
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "type-alternation");
  CHECK(all[0].confidence == .75);
  CHECK(all[0].action_ids.size() == 4);
}

TEST_CASE("slow alternation needs three repeats") {
  CHECK(thrashing(types({"restart_pod", "rollback", "restart_pod", "rollback"}, 15)).empty());
  CHECK(
      thrashing(types({"restart_pod", "rollback", "restart_pod", "rollback", "restart_pod", "rollback"}, 15))
          .size() == 1);
}

TEST_CASE("tools alternate by nature, so they need an unresolved alert or scores") {
  Timeline timeline = types({"edit_file", "run_tests", "edit_file", "run_tests", "edit_file", "run_tests"});
  const Finding finding = find(shipped(PatternType::resource_thrashing), timeline);
  CHECK(finding.detections.empty());
  REQUIRE(finding.not_evaluated.size() == 1);
  CHECK(finding.not_evaluated[0].rfind("resource-thrashing: ", 0) == 0);

  SECTION("the same alert is unresolved") {
    for (Trace& trace : timeline.traces) trace.alert_fingerprint = "f";
    CHECK(thrashing(timeline).size() == 1);
    Alert over;
    over.fingerprint = "f";
    over.starts_at = at_minute(-5);
    over.ends_at = at_minute(2);
    CHECK(thrashing(timeline, {.alerts = {over}}).empty());
  }
  SECTION("different alerts are different causes") {
    for (std::size_t i = 0; i < 6; ++i) timeline.traces[i].alert_fingerprint = std::to_string(i);
    CHECK(thrashing(timeline).empty());
  }
  SECTION("the scores are low") {
    for (Trace& trace : timeline.traces) trace.outcome.effectiveness_score = .5;
    CHECK(thrashing(timeline).size() == 1);
    for (Trace& trace : timeline.traces) trace.outcome.effectiveness_score = .9;
    CHECK(thrashing(timeline).empty());
  }
}

TEST_CASE("one type again and again is no alternation, nor are looks between") {
  CHECK(thrashing(types({"scale_up", "scale_down", "scale_up", "scale_down"})).empty());
  CHECK(thrashing(types({"get_pods", "restart_pod", "get_pods", "restart_pod"})).empty());
}

TEST_CASE("six disruptions in an hour exceed the budget") {
  Timeline timeline;
  for (int i = 0; i < 6; ++i) timeline.add(8. * i, "restart_pod");
  const auto all = thrashing(timeline);
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "disruption-budget");
  CHECK(all[0].confidence == .75);
  timeline.traces.pop_back();
  CHECK(thrashing(timeline).empty());
}

TEST_CASE("a resource that is disrupted all the time has a larger budget") {
  Timeline timeline;
  for (int hour = 0; hour < 48; ++hour) {
    for (int i = 0; i < 3; ++i) timeline.add(60. * hour + 15. * i, "restart_pod");
  }
  const double now = 48 * 60;
  for (int i = 0; i < 9; ++i) timeline.add(now + 60 + 5. * i, "restart_pod");
  CHECK(thrashing(timeline).empty());
  timeline.add(now + 60 + 46, "restart_pod");
  REQUIRE(thrashing(timeline).size() == 1);
  JsonDocument document;
  const auto all = thrashing(timeline);
  CHECK(double(document.parse(all[0].evidence)["usual_hourly_p95"]) == 3);
}

TEST_CASE("budget and revert together are critical") {
  Timeline timeline = memories({512, 1024, 512, 1024});
  for (Trace& trace : timeline.traces) trace.action_type = "resize_pod";
  for (int i = 0; i < 3; ++i) timeline.add(16 + i, "evict_pod");
  REQUIRE(thrashing(timeline).size() == 1);
  CHECK(thrashing(timeline)[0].severity == Severity::critical);
}
