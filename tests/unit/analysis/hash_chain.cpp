#include <catch2/catch.hpp>

#include "timeline.hpp"

using namespace actionhist;

namespace {

std::vector<Detection> loops(const Timeline& timeline, const Look& look = {}) {
  return found(PatternType::ineffective_loop, timeline, look);
}

Trace& hashed(Timeline& timeline, double minute, const char* pre, const char* post,
              const char* type = "patch") {
  Trace& trace = timeline.add(minute, type);
  trace.pre_spec_hash = pre;
  trace.outcome.post_spec_hash = post;
  trace.alert_fingerprint = "f";
  trace.action_parameters = Json::object({{"try", minute}});
  return trace;
}

}  // namespace

TEST_CASE("three entries that start from the same state are an ineffective chain") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) hashed(timeline, 20 * i, "A", "");
  const auto all = loops(timeline);
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "same-state");
  CHECK(all[0].confidence == Approx(.647).margin(.001));

  SECTION("not with another state in the middle") {
    timeline.traces[1].pre_spec_hash = "B";
    CHECK(loops(timeline).empty());
  }
  SECTION("not with another target") {
    Timeline::on(timeline.traces[1], "api");
    CHECK(loops(timeline).empty());
  }
  SECTION("not in another cluster") {
    timeline.traces[1].resource.cluster = "west";
    timeline.traces[1].resource_id = "id-web-west";
    CHECK(loops(timeline).empty());
  }
  SECTION("not after a success") {
    timeline.traces[1].outcome.effectiveness_score = .9;
    CHECK(loops(timeline).empty());
  }
  SECTION("a proposal from the same state is an entry, an action that still runs is none") {
    timeline.traces[2].outcome = {};
    CHECK(loops(timeline, {.candidate = true}).size() == 1);
    CHECK(loops(timeline).empty());
  }
}

TEST_CASE("fixes that were undone each time are a regression") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) hashed(timeline, 20 * i, "A", "B");
  REQUIRE(loops(timeline).size() == 1);
  CHECK(loops(timeline)[0].sub_kind == "regression");
}

TEST_CASE("A to B, B to C, then an incoming C for the same alert is a chain") {
  Timeline timeline;
  hashed(timeline, 0, "A", "B");
  hashed(timeline, 20, "B", "C");
  CHECK(loops(timeline).empty());
  hashed(timeline, 40, "C", "").outcome = {};
  REQUIRE(loops(timeline, {.candidate = true}).size() == 1);
  CHECK(loops(timeline, {.candidate = true})[0].sub_kind == "hash-chain");

  SECTION("not for another type") {
    timeline.traces[2].action_type = "restart";
    CHECK(loops(timeline, {.candidate = true}).empty());
  }
  SECTION("not for another alert") {
    timeline.traces[2].alert_fingerprint = "g";
    CHECK(loops(timeline, {.candidate = true}).empty());
  }
  SECTION("not when it was resolved") {
    timeline.traces[1].outcome.effectiveness_criteria = Json::object({{"alert_resolved", true}});
    CHECK(loops(timeline, {.candidate = true}).empty());
  }
  SECTION("not after more than an hour") {
    timeline.traces[2].action_timestamp = at_minute(61);
    CHECK(loops(timeline, {.candidate = true}).empty());
  }
  SECTION("not from another state") {
    timeline.traces[2].pre_spec_hash = "D";
    CHECK(loops(timeline, {.candidate = true}).empty());
  }
}
