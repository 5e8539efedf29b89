#include <catch2/catch.hpp>

#include "timeline.hpp"

using namespace actionhist;
using namespace std::chrono_literals;

namespace {

Detection with_interval(double seconds) {
  Detection detection;
  detection.evidence = Json::object({{"median_interval_seconds", seconds}});
  return detection;
}

}  // namespace

TEST_CASE("a detection stays in force for half an hour or two intervals") {
  CHECK(clear_after(with_interval(60)) == 30min);
  CHECK(clear_after(with_interval(20 * 60)) == 40min);
  CHECK(clear_after(Detection()) == 30min);
}

TEST_CASE("cooling doubles with each detection up to an hour") {
  const Pattern pattern;
  CHECK(cooling_period(pattern, with_interval(60), 0) == 5min);
  CHECK(cooling_period(pattern, with_interval(60), 1) == 5min);
  CHECK(cooling_period(pattern, with_interval(60), 2) == 10min);
  CHECK(cooling_period(pattern, with_interval(60), 4) == 40min);
  CHECK(cooling_period(pattern, with_interval(60), 5) == 60min);
  CHECK(cooling_period(pattern, with_interval(60), 500) == 60min);
  CHECK(cooling_period(pattern, with_interval(600), 2) == 40min);
  CHECK(cooling_period(pattern, with_interval(7200), 1) == 60min);
}

TEST_CASE("a pattern may say how long its first cooling lasts") {
  const auto cooling = [](int minutes, int detections) {
    Pattern pattern;
    pattern.prevention_parameters = Json::object({{"cooling_period_minutes", minutes}});
    return cooling_period(pattern, with_interval(600), detections);
  };
  CHECK(cooling(2, 1) == 2min);
  CHECK(cooling(30, 1) == 30min);
  CHECK(cooling(30, 2) == 60min);
  CHECK(cooling(30, 3) == 60min);
  CHECK(cooling(180, 1) == 180min);
  CHECK(cooling(180, 3) == 180min);
}

TEST_CASE("a human is asked for a fight, a second loop and a grave cascade") {
  Pattern pattern;
  pattern.prevention_strategy = Prevention::cooling_period;
  Detection detection;
  detection.pattern_type = PatternType::scale_oscillation;
  CHECK(prevention_for(pattern, detection, 5) == Prevention::cooling_period);
  detection.sub_kind = "controller-conflict";
  CHECK(prevention_for(pattern, detection, 0) == Prevention::escalate_human);
  detection.sub_kind.clear();
  detection.pattern_type = PatternType::ineffective_loop;
  CHECK(prevention_for(pattern, detection, 0) == Prevention::cooling_period);
  CHECK(prevention_for(pattern, detection, 1) == Prevention::escalate_human);
  detection.pattern_type = PatternType::cascading_failure;
  detection.severity = Severity::medium;
  CHECK(prevention_for(pattern, detection, 0) == Prevention::cooling_period);
  detection.severity = Severity::high;
  CHECK(prevention_for(pattern, detection, 0) == Prevention::escalate_human);
}

TEST_CASE("blocking wins over asking, cooling and another action") {
  CHECK(precedence(Prevention::block_action) < precedence(Prevention::escalate_human));
  CHECK(precedence(Prevention::escalate_human) < precedence(Prevention::cooling_period));
  CHECK(precedence(Prevention::cooling_period) < precedence(Prevention::alternative_action));
}

TEST_CASE("an oscillation in force refuses more of the same dimension and nothing else") {
  Timeline timeline = Timeline::scales({3, 5, 3, 5});
  const Detection detection = found(PatternType::scale_oscillation, timeline)[0];
  Trace proposed = timeline.traces[0];
  CHECK(repeats(detection, proposed));
  proposed.action_parameters = Json::object({{"min_replicas", 2}});
  CHECK_FALSE(repeats(detection, proposed));
  proposed.action_parameters = Json();
  proposed.action_type = "scale_up";
  CHECK(repeats(detection, proposed));
  proposed.action_type = "restart_pod";
  CHECK_FALSE(repeats(detection, proposed));
  proposed.action_type = "get_replicas";
  CHECK_FALSE(repeats(detection, proposed));
  proposed = timeline.traces[0];
  proposed.resource_id = "id-other";
  CHECK_FALSE(repeats(detection, proposed));
}

TEST_CASE("thrashing in force refuses the setting and the types that thrashed") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) {
    Trace& trace = timeline.add(5. * i, "update_resources");
    trace.resource_state_before = Json::object({{"memory", i % 2 == 0 ? "1Gi" : "2Gi"}});
    trace.outcome.resource_state_after = Json::object({{"memory", i % 2 == 0 ? "2Gi" : "1Gi"}});
  }
  const Detection detection = found(PatternType::resource_thrashing, timeline)[0];
  Trace proposed = timeline.traces[0];
  CHECK(repeats(detection, proposed));
  proposed.action_type = "patch";
  CHECK_FALSE(repeats(detection, proposed));
  proposed.action_parameters = Json::object({{"memory", "4Gi"}});
  CHECK(repeats(detection, proposed));
}
