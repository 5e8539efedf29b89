#include <random>

#include <catch2/catch.hpp>

#include "timeline.hpp"

using namespace actionhist;

namespace {

// What a person would compare: which patterns were found, on what, how sure and how grave.
std::vector<std::string> summary(const Timeline& timeline, const std::string& without = {}) {
  std::vector<std::string> lines;
  for (const Pattern& pattern : default_patterns()) {
    for (const Detection& detection : find(pattern, timeline).detections) {
      std::string line = fmt::format("{} {} {} {}", detection.pattern_id, detection.sub_kind,
                                     detection.confidence, to_string(detection.severity));
      for (std::string id : detection.action_ids) line += ' ' + id.erase(0, id.find('-'));
      lines.push_back(std::move(line));
    }
  }
  std::erase_if(lines,
                [&](const std::string& line) { return !without.empty() && line.rfind(without, 0) == 0; });
  return lines;
}

// A random history of scalings; every other one swings.
Timeline random_scales(std::mt19937& random, const std::string& name = "web") {
  Timeline timeline(name);
  std::uniform_int_distribution<int> count(3, 12), size(1, 9), pause(1, 25);
  int replicas = size(random);
  double minute = 0;
  for (int i = count(random); i > 0; --i) {
    const int to = size(random);
    minute += pause(random);
    timeline.scale(minute, replicas, to);
    replicas = to;
  }
  return timeline;
}

}  // namespace

TEST_CASE("a pattern watches its kinds, namespaces and labels only") {
  Action action;
  action.resource = normalized({.kind = "Deployment", .namespace_ = "shop"});
  action.alert_labels = Json::object({{"app", "web"}, {"tier", "front"}});
  Pattern pattern;
  CHECK(in_scope(pattern, action));
  pattern.resource_types = {"StatefulSet", "deployment"};
  pattern.namespaces = {"shop"};
  pattern.label_selectors = Json::object({{"app", "web"}});
  CHECK(in_scope(pattern, action));
  pattern.label_selectors = Json::object({{"app", "web"}, {"tier", "back"}});
  CHECK_FALSE(in_scope(pattern, action));
  pattern.label_selectors = {};
  pattern.namespaces = {"other"};
  CHECK_FALSE(in_scope(pattern, action));
  pattern.namespaces.clear();
  pattern.resource_types = {"Pod"};
  CHECK_FALSE(in_scope(pattern, action));
  for (const char* kind : {"deployments", "deploy", "deployments.apps"}) {
    pattern.resource_types = {kind};
    CHECK(in_scope(pattern, action));
  }
  pattern.resource_types = {"deployments.extensions"};
  CHECK_FALSE(in_scope(pattern, action));
  pattern.resource_types.clear();
  pattern.active = false;
  CHECK_FALSE(in_scope(pattern, action));
}

TEST_CASE("an inactive pattern or one of another scope finds nothing") {
  const Timeline timeline = Timeline::scales({3, 5, 3, 5});
  Pattern pattern = shipped(PatternType::scale_oscillation);
  CHECK(find(pattern, timeline).detections.size() == 1);
  pattern.namespaces = {"other"};
  CHECK(find(pattern, timeline).detections.empty());
  pattern.namespaces.clear();
  pattern.active = false;
  CHECK(find(pattern, timeline).detections.empty());
}

TEST_CASE("what changed something counts, what did not is left out") {
  Trace trace;
  trace.action_timestamp = at_minute(0);
  const auto counted = [&](Status status) { return TraceDigest(trace).counted(status); };
  for (const Status status : {Status::pending, Status::executing, Status::completed, Status::rolled_back})
    CHECK(counted(status));
  for (const Status status : {Status::failed, Status::cancelled, Status::escalated})
    CHECK_FALSE(counted(status));
  // What was begun may have changed something before it was called off.
  Outcome begun;
  begun.execution_start_time = at_minute(0);
  Outcome left_a_state;
  left_a_state.resource_state_after = Json::object({{"replicas", 3}});
  Outcome left_a_hash;
  left_a_hash.post_spec_hash = "b";
  for (const Outcome& outcome : {begun, left_a_state, left_a_hash}) {
    trace.outcome = outcome;
    CHECK(counted(Status::cancelled));
    CHECK(counted(Status::escalated));
    CHECK_FALSE(counted(Status::failed));
  }
}

TEST_CASE("what was begun and then called off is seen by every rule") {
  const auto called_off = [](Status status, bool begun, auto add) {
    Timeline timeline;
    for (int i = 0; i < 12; ++i) {
      Trace& trace = add(timeline, i);
      trace.outcome = {};
      trace.outcome.status = status;
      if (begun) trace.outcome.execution_start_time = trace.action_timestamp;
    }
    return timeline;
  };
  const auto flip = [](Timeline& timeline, int i) -> Trace& {
    return i % 2 == 0 ? timeline.scale(5. * i, 3, 5) : timeline.scale(5. * i, 5, 3);
  };
  const auto image = [](Timeline& timeline, int i) -> Trace& {
    Trace& trace = timeline.add(5. * i, "set_image");
    trace.resource_state_before = Json::object({{"image", i % 2 == 0 ? "web:1" : "web:2"}});
    trace.action_parameters = Json::object({{"image", i % 2 == 0 ? "web:2" : "web:1"}});
    return trace;
  };
  const auto same = [](Timeline& timeline, int i) -> Trace& {
    return timeline.add(5. * i, "restart_deployment");
  };
  const auto hash = [](Timeline& timeline, int i) -> Trace& {
    Trace& trace = timeline.add(5. * i, i % 2 == 0 ? "patch" : "apply");
    trace.pre_spec_hash = "a";
    return trace;
  };
  for (const Status status : {Status::cancelled, Status::escalated}) {
    for (const bool begun : {true, false}) {
      INFO(to_string(status) << (begun ? ", begun" : ", not begun"));
      CHECK(found(PatternType::scale_oscillation, called_off(status, begun, flip)).empty() != begun);
      CHECK(found(PatternType::resource_thrashing, called_off(status, begun, image)).empty() != begun);
      CHECK(found(PatternType::ineffective_loop, called_off(status, begun, same)).empty() != begun);
      CHECK(found(PatternType::ineffective_loop, called_off(status, begun, hash)).empty() != begun);
      CHECK(found(PatternType::action_budget, called_off(status, begun, same)).empty() != begun);
    }
  }
}

TEST_CASE("what was called off neither helped nor failed") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) timeline.add(5. * i, "restart_deployment").outcome.status = Status::failed;
  Trace& stopped = timeline.add(15, "restart_deployment");
  stopped.outcome.status = Status::cancelled;
  stopped.outcome.execution_start_time = at_minute(15);
  const auto chain = found(PatternType::ineffective_loop, timeline);
  REQUIRE(chain.size() == 1);
  CHECK(chain[0].action_ids.size() == 4);

  Timeline alone;
  for (int i = 0; i < 4; ++i) {
    Trace& trace = alone.add(5. * i, "restart_deployment");
    trace.outcome.status = Status::cancelled;
    trace.outcome.execution_start_time = at_minute(5. * i);
  }
  CHECK(found(PatternType::ineffective_loop, alone).empty());
}

TEST_CASE("a moment in the past does not know what came later") {
  const Timeline timeline = Timeline::scales({3, 5, 3, 5, 3});
  const auto seen = [&](double minute) {
    return found(PatternType::scale_oscillation, timeline, {.as_of = at_minute(minute)});
  };
  CHECK(seen(5).empty());
  REQUIRE(seen(10).size() == 1);
  CHECK(seen(10)[0].action_ids.size() == 3);
  CHECK(seen(15)[0].action_ids.size() == 4);
  CHECK(seen(10)[0].as_of == at_minute(10));
  // After the window it is history.
  CHECK(seen(15 + 121).empty());

  SECTION("nor what became known later") {
    Timeline loop;
    for (int i = 0; i < 3; ++i) {
      Trace& trace = loop.add(i, "restart_pod");
      trace.action_parameters = Json::object({{"try", i}});
      trace.outcome.effectiveness_score = .1;
      trace.outcome.effectiveness_assessed_at = at_minute(60);
    }
    CHECK(found(PatternType::ineffective_loop, loop, {.as_of = at_minute(59)}).empty());
    CHECK(found(PatternType::ineffective_loop, loop, {.as_of = at_minute(60)}).size() == 1);
  }
}

TEST_CASE("a window may be given instead of the pattern's") {
  const Timeline timeline = Timeline::scales({3, 5, 3, 5});
  const Pattern pattern = shipped(PatternType::scale_oscillation);
  const Evidence evidence{timeline.traces, {}, true, nullptr, "resource:x"};
  CHECK(detect(pattern, evidence, at_minute(10), std::chrono::minutes(9)).detections.empty());
  CHECK(detect(pattern, evidence, at_minute(10), std::chrono::minutes(10)).detections.size() == 1);
  CHECK(detect(pattern, evidence, at_minute(10)).detections[0].scope == "resource:x");
}

TEST_CASE("a proposal happens when it is judged, whatever its agent's clock says") {
  Timeline timeline = Timeline::scales({3, 5, 3});
  Trace& proposed = timeline.scale(4, 3, 5);
  proposed.outcome = {};
  const auto all =
      found(PatternType::scale_oscillation, timeline, {.candidate = true, .as_of = at_minute(12)});
  REQUIRE(all.size() == 1);
  CHECK(all[0].action_ids.back() == proposed.action_id);
  CHECK(all[0].last_at == at_minute(12));
  proposed.action_timestamp = at_minute(-600);
  CHECK(found(PatternType::scale_oscillation, timeline, {.candidate = true, .as_of = at_minute(12)}).size() ==
        1);
}

TEST_CASE("an empty history has no pattern") {
  const Timeline first = Timeline::scales({3, 5});
  for (const Pattern& pattern : default_patterns()) {
    CHECK(detect(pattern, {}, at_minute(0)).detections.empty());
    CHECK(find(pattern, first, {.candidate = true}).detections.empty());
  }
}

TEST_CASE("thresholds of the pattern decide") {
  const Timeline timeline = Timeline::scales({3, 5, 3, 5});
  Pattern pattern = shipped(PatternType::scale_oscillation);
  pattern.threshold_config = Json::object({{"return_ratio", .7}});
  CHECK(find(pattern, timeline).detections.empty());
  pattern.threshold_config = Json::object({{"max_pause_minutes", 4}});
  CHECK(find(pattern, timeline).detections.empty());
  pattern.threshold_config = Json::object({{"min_confidence", .51}});
  REQUIRE(find(pattern, timeline).detections.size() == 1);
  CHECK_FALSE(prevents(pattern, find(pattern, timeline).detections[0]));
}

TEST_CASE("a monotone ramp is never flagged") {
  std::mt19937 random(20260410);
  for (int run = 0; run < 300; ++run) {
    std::uniform_int_distribution<int> step(0, 4), form(0, 3), count(2, 15), pause(1, 20);
    const int sign = run % 2 == 0 ? 1 : -1;
    Timeline timeline;
    int replicas = 100;
    double minute = 0;
    int last_step = -1;
    const int kind = form(random);
    for (int i = count(random); i > 0; --i) {
      int by = step(random);
      if (kind != 2 && by == 0 && last_step == 0) by = 1;  // setting the same value again is another loop
      last_step = by;
      minute += pause(random);
      Trace& trace =
          timeline.scale(minute, replicas, replicas + sign * by, sign > 0 ? "scale_up" : "scale_down");
      if (kind > 0) trace.resource_state_before = trace.outcome.resource_state_after = {};
      if (kind == 2) trace.action_parameters = Json::object({{"delta", sign * (by + 1)}});
      if (kind == 3) trace.action_parameters = Json();
      replicas += sign * by;
    }
    INFO("run " << run << " of kind " << kind);
    CHECK(summary(timeline).empty());
  }
}

TEST_CASE("renaming resources, shifting time and respelling types change nothing") {
  std::mt19937 random(7);
  int flagged = 0;
  for (int run = 0; run < 300; ++run) {
    const Timeline timeline = random_scales(random);
    const auto expected = summary(timeline);
    flagged += !expected.empty();

    Timeline renamed = timeline;
    Timeline shifted = timeline;
    Timeline respelled = timeline;
    const char* const names[] = {"scale_up", "ScaleReplicas", "kubectl.scale", "scale-deployment"};
    for (std::size_t i = 0; i < timeline.traces.size(); ++i) {
      Timeline::on(renamed.traces[i], "quite-another");
      *shifted.traces[i].action_timestamp += std::chrono::hours(24 * 300) + std::chrono::microseconds(7);
      respelled.traces[i].action_type = names[i % 4];
    }
    INFO("run " << run);
    CHECK(summary(renamed) == expected);
    CHECK(summary(shifted) == expected);
    // That a chain is of one type is part of its definition; that a scaling is one is not.
    CHECK(summary(respelled, "ineffective-loop") == summary(timeline, "ineffective-loop"));
  }
  CHECK(flagged > 20);
  CHECK(flagged < 280);
}

TEST_CASE("numbers instead of states, and one resource beside another, change only the confidence") {
  std::mt19937 random(11);
  for (int run = 0; run < 100; ++run) {
    const Timeline web = random_scales(random);
    Timeline both = web;
    for (const Trace& trace : random_scales(random, "api").traces) both.traces.push_back(trace);
    std::ranges::stable_sort(both.traces, {}, &Trace::time);
    const auto alone = found(PatternType::scale_oscillation, web, {.as_of = both.traces.back().time()});
    const auto mixed = found(PatternType::scale_oscillation, both);
    const auto of_web = std::ranges::count_if(
        mixed, [](const Detection& detection) { return detection.resources[0] == "id-web"; });
    CHECK(static_cast<std::size_t>(of_web) == alone.size());
  }
}
