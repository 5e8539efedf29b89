#include <catch2/catch.hpp>

#include "timeline.hpp"

using namespace actionhist;

TEST_CASE("three actions of a type are within a budget of three, the fourth is not") {
  const Pattern pattern = shipped(PatternType::action_budget);
  Timeline timeline;
  for (int i = 0; i < 3; ++i) timeline.add(i, "restart_pod").outcome = {};
  CHECK(find(pattern, timeline, {.candidate = true}).detections.empty());
  timeline.add(3, "RestartPod").outcome = {};
  const auto all = find(pattern, timeline, {.candidate = true}).detections;
  REQUIRE(all.size() == 1);
  CHECK(all[0].confidence == 1);
  CHECK(all[0].action_ids.size() == 4);
}

TEST_CASE("a budget is for one type on one resource within the window") {
  const Pattern pattern = shipped(PatternType::action_budget);
  Timeline types;
  for (int i = 0; i < 6; ++i) types.add(i, i % 2 == 0 ? "restart_pod" : "patch_config");
  CHECK(find(pattern, types).detections.empty());
  Timeline resources;
  for (int i = 0; i < 6; ++i) Timeline::on(resources.add(i, "restart_pod"), i % 2 == 0 ? "web" : "api");
  CHECK(find(pattern, resources).detections.empty());
  Timeline slow;
  for (int i = 0; i < 6; ++i) slow.add(30. * i, "restart_pod");
  CHECK(find(pattern, slow).detections.empty());
}

TEST_CASE("the shipped budget is inactive") {
  for (const Pattern& pattern : default_patterns()) {
    CHECK(pattern.active == (pattern.pattern_type != PatternType::action_budget));
  }
}
