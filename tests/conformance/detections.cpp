// What every engine promises about detections and what came of them. Runs over each of them.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "conformance/brakes_fixture.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("refusals are counted while a person resolves what they count for", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  constexpr int refused = 40;
  std::atomic<bool> done = false;
  std::thread person([&] {
    while (!done) {
      for (const Detection& each : f.history.detections({})) f.history.resolve(each.detection_id);
      f.history.settle();
    }
  });
  int refusals = 0;
  for (int i = 0; i < refused; ++i) {
    refusals += f.history.propose(f.flip("refused-" + std::to_string(i), 3, 5)).allowed() ? 0 : 1;
  }
  done = true;
  person.join();
  int counted = 0;
  for (const Detection& each : f.history.detections({})) counted += each.refusals;
  CHECK(refusals == refused);
  CHECK(counted == refusals);
}

TEST_CASE("a resolved detection refuses nothing, and false alarms are counted", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  const std::string id = f.history.detections({.unresolved = true}).front().detection_id;
  f.clock.advance(1min);
  const Detection resolved = f.history.resolve(id, {.notes = "a planned test", .false_positive = true});
  CHECK(resolved.resolved_at == *f.clock.time);
  CHECK(resolved.resolution_method == "manual-intervention");
  CHECK(f.history.detection(id) == resolved);
  CHECK(f.history.detections({.unresolved = true}).empty());
  CHECK(f.history.repository().patterns().in_force({}, *f.clock.time).empty());
  const Pattern pattern = f.pattern(PatternType::scale_oscillation);
  CHECK(pattern.total_detections == 1);
  CHECK(pattern.false_positive_rate == 1);
  CHECK(error_code_of([&] { f.history.resolve("nobody"); }) == ErrorCode::not_found);
  CHECK(error_text_of([&] { f.history.resolve(id, {.method = "magic"}); }).find("method: ") == 0);
}

TEST_CASE("detections end by time-out, and what did not come back within a day counts as prevented",
          "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  CHECK(f.history.settle().resolved_by_timeout == 0);
  f.clock.advance(2h);
  CHECK(f.history.settle().resolved_by_timeout == 1);
  const Detection ended = f.history.detections().front();
  CHECK(ended.resolution_method == "timeout");
  CHECK(ended.resolved_at == ended.in_force_until);
  CHECK_FALSE(ended.prevention_successful);
  f.clock.advance(23h);
  CHECK(f.history.settle().judged == 1);
  CHECK(f.history.detections().front().prevention_successful == true);
  CHECK(f.pattern(PatternType::scale_oscillation).prevention_success_rate == 1);
  CHECK(f.history.settle().judged == 0);
}

TEST_CASE("what comes back within a day was not prevented", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  f.clock.advance(4h);
  f.flip_twice("g");
  REQUIRE_FALSE(f.history.propose(f.flip("g-3", 3, 5)).allowed());
  f.clock.advance(30h);
  CHECK(f.history.settle().judged == 2);
  const auto detections = f.history.detections();
  REQUIRE(detections.size() == 2);
  CHECK(detections[0].prevention_successful == true);
  CHECK(detections[1].prevention_successful == false);
  CHECK(f.pattern(PatternType::scale_oscillation).prevention_success_rate == .5);
}

TEST_CASE("detections are listed by resource, pattern, time and state", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  const TimePoint first = *f.clock.time;
  f.clock.advance(4h);
  f.flip_twice("g");
  REQUIRE_FALSE(f.history.propose(f.flip("g-3", 3, 5)).allowed());
  f.history.settle();
  const auto ids = [&](const DetectionQuery& query) {
    std::vector<std::string> last;
    for (const Detection& each : f.history.detections(query)) last.push_back(each.action_ids.back());
    return last;
  };
  const std::vector<std::string> both{"g-3", "f-3"}, newer{"g-3"}, older{"f-3"}, none;
  const Resource web{.kind = "deployments", .namespace_ = "prod", .name = "web"};
  CHECK(ids({}) == both);
  CHECK(ids({.resource = web}) == both);
  CHECK(ids({.resource = web, .unresolved = true}) == newer);
  CHECK(ids({.pattern_id = "scale-oscillation", .unresolved = true}) == newer);
  CHECK(ids({.pattern_id = "scale-oscillation", .limit = 1}) == newer);
  CHECK(ids({.pattern_id = "scale-oscillation", .until = first + 1us}) == older);
  CHECK(ids({.since = first, .until = first}) == none);
  CHECK(ids({.pattern_id = "resource-thrashing"}) == none);
  CHECK(ids({.resource = {.kind = "Deployment", .namespace_ = "prod", .name = "db"}}) == none);
  CHECK(ids({.scope = f.history.detections().front().scope}) == both);

  const auto refused = [&](const DetectionQuery& query) {
    return error_text_of([&] { f.history.detections(query); });
  };
  CHECK(refused({.scope = "session:s", .resource = web}).find("scope: ") == 0);
  CHECK(refused({.scope = "web"}).find("scope: ") == 0);
  CHECK(refused({.resource = {.kind = "Deployment"}}).find("resource: ") == 0);
  CHECK(refused({.limit = 0}).find("limit: ") == 0);
  // The cluster may be left out as long as there is one.
  Resource east = web;
  east.cluster = "east";
  f.history.resource_seen(east);
  CHECK(ids({.resource = web}) == both);
  CHECK(ids({.resource = east}) == none);
}

TEST_CASE("what waits for its judgement does not keep what is newer from ending", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  f.clock.advance(4h);
  CHECK(f.history.settle(1).resolved_by_timeout == 1);
  f.flip_twice("g");
  REQUIRE_FALSE(f.history.propose(f.flip("g-3", 3, 5)).allowed());
  f.clock.advance(4h);
  CHECK(f.history.settle(1).resolved_by_timeout == 1);
  CHECK(f.history.detections({.unresolved = true}).empty());
}

TEST_CASE("a detection ends when the alert of its actions does", "[brakes]") {
  BrakesFixture f;
  f.flip_twice();
  REQUIRE_FALSE(f.history.propose(f.flip("f-3", 3, 5)).allowed());
  Alert alert;
  alert.name = "HighLoad";
  alert.fingerprint = f.history.get("f-2")->alert_fingerprint;
  alert.starts_at = noon - 10min;
  f.history.observe(alert);
  CHECK(f.history.settle().resolved_by_evidence == 0);
  f.clock.advance(1min);
  // Neither one that ended long ago, nor another one that ends.
  Alert earlier = alert;
  earlier.starts_at = noon - 20min;
  earlier.ends_at = noon - 15min;
  f.history.observe(earlier);
  Alert other = alert;
  other.fingerprint = "other";
  other.ends_at = *f.clock.time;
  f.history.observe(other);
  CHECK(f.history.settle().resolved_by_evidence == 0);
  alert.ends_at = *f.clock.time;
  f.history.observe(alert);
  CHECK(f.history.settle().resolved_by_evidence == 1);
  CHECK(f.history.detections().front().resolution_method == "automatic");
}
