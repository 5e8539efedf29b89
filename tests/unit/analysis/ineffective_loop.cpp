#include <catch2/catch.hpp>

#include "core/json_io.hpp"
#include "timeline.hpp"

using namespace actionhist;

namespace {

std::vector<Detection> loops(const Timeline& timeline, const Look& look = {}) {
  return found(PatternType::ineffective_loop, timeline, look);
}

Trace& scored(Timeline& timeline, double minute, double score, const char* type = "restart_pod") {
  Trace& trace = timeline.add(minute, type);
  trace.outcome.effectiveness_score = score;
  return trace;
}

Trace& call(Timeline& timeline, double minute, const char* type, const char* argument, const char* result) {
  Trace& trace = timeline.add(minute, type);
  trace.correlation_id = "run-1";
  trace.action_parameters = Json::object({{"command", argument}});
  trace.outcome.result_hash = result;
  return trace;
}

}  // namespace

TEST_CASE("the same call with the same result three times is a loop") {
  Timeline timeline;
  for (int i = 0; i < 2; ++i) call(timeline, i, "bash", "ls", "same");
  CHECK(loops(timeline).empty());
  call(timeline, 2, "bash", "ls", "same");
  const auto all = loops(timeline);
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "exact-cycle");
  CHECK(all[0].confidence == .875);
  CHECK(all[0].severity == Severity::medium);
  CHECK(all[0].action_ids.size() == 3);
}

TEST_CASE("without results it takes five") {
  Timeline timeline;
  for (int i = 0; i < 4; ++i) call(timeline, i, "testTool", "x", "");
  CHECK(loops(timeline).empty());
  call(timeline, 4, "testTool", "x", "");
  CHECK(loops(timeline).size() == 1);
}

TEST_CASE("cycles of up to five calls are loops") {
  for (int period = 2; period <= 6; ++period) {
    Timeline timeline;
    for (int i = 0; i < 3 * period; ++i) {
      call(timeline, .1 * i, "bash", std::to_string(i % period).c_str(), "same");
    }
    INFO(period);
    CHECK(loops(timeline).size() == (period <= 5 ? 1 : 0));
  }
}

TEST_CASE("a changing result is progress") {
  Timeline pages;
  for (int i = 0; i < 10; ++i) call(pages, i, "scroll_down", "", std::to_string(i).c_str());
  CHECK(loops(pages).empty());
  Timeline runs;
  for (int i = 0; i < 10; ++i) call(runs, i, "bash", "pytest", std::to_string(i).c_str());
  CHECK(loops(runs).empty());
}

TEST_CASE("the same tool on twenty files is work") {
  Timeline timeline;
  for (int i = 0; i < 20; ++i) {
    const std::string file = fmt::format("src/f{}.ts", i);
    Timeline::on(call(timeline, .1 * i, "edit_file", file.c_str(), ""), file);
  }
  CHECK(loops(timeline).empty());
}

TEST_CASE("editing and testing with changing edits and errors is work") {
  for (const bool with_results : {true, false}) {
    Timeline timeline;
    for (int i = 0; i < 8; ++i) {
      const std::string round = std::to_string(i);
      call(timeline, 2 * i, "edit_file", round.c_str(), with_results ? "ok" : "");
      Trace& test = call(timeline, 2 * i + 1, "run_tests", "all", with_results ? round.c_str() : "");
      test.outcome.status = Status::failed;
      test.outcome.execution_error = "error " + round;
    }
    INFO(with_results);
    CHECK(loops(timeline).empty());
  }
}

TEST_CASE("periodic health checks that succeed stay silent") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) call(timeline, 10 * i, "get_health", "web", "ok");
  CHECK(loops(timeline).empty());
}

TEST_CASE("a poller that waits for the same answer stays silent") {
  Timeline timeline;
  for (int i = 0; i < 20; ++i) call(timeline, .5 * i, "get_job_status", "build-7", "running");
  CHECK(loops(timeline).empty());
}

TEST_CASE("a retry that works in the end was no loop") {
  Timeline timeline;
  for (int i = 0; i < 4; ++i) {
    timeline.add(i, "apply_manifest").outcome.status = i < 3 ? Status::failed : Status::completed;
  }
  CHECK(loops(timeline).empty());
}

TEST_CASE("calls that only look loop within one run, without long pauses, and mildly") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) call(timeline, i, "get_pods", "web", "same");
  REQUIRE(loops(timeline).size() == 1);
  CHECK(loops(timeline)[0].severity == Severity::low);
  for (Trace& trace : timeline.traces) trace.correlation_id.clear();
  CHECK(loops(timeline).empty());
  for (Trace& trace : timeline.traces) trace.session_id = "s";
  CHECK(loops(timeline).size() == 1);
  timeline.traces[1].session_id = "t";
  CHECK(loops(timeline).empty());
}

TEST_CASE("an identical call that fails three times loops whatever the error says") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) {
    Trace& trace = call(timeline, i, "bash", "make", "");
    trace.outcome.status = Status::failed;
    trace.outcome.execution_error = "error at " + std::to_string(i);
    Timeline::on(trace, "");
    trace.resource_id.clear();
  }
  REQUIRE(loops(timeline).size() == 1);
  CHECK(loops(timeline)[0].sub_kind == "exact-cycle");
}

TEST_CASE("looking around between identical changes does not hide the loop") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) {
    call(timeline, 2 * i, "bash", "flake8", "same");
    call(timeline, 2 * i + 1, "read_file", std::to_string(i).c_str(), std::to_string(i).c_str());
  }
  CHECK(loops(timeline).size() == 1);
}

TEST_CASE("a ramp by the same step is movement, not a loop") {
  Timeline timeline;
  for (int i = 0; i < 8; ++i)
    timeline.add(i, "scale_deployment").action_parameters = Json::object({{"delta", 1}});
  CHECK(loops(timeline).empty());
  Timeline verbs;
  for (int i = 0; i < 8; ++i) verbs.add(i, "scale_up");
  CHECK(loops(verbs).empty());
}

TEST_CASE("setting the same value again and again is a loop") {
  Timeline timeline;
  for (int i = 0; i < 5; ++i)
    timeline.add(i, "scale_deployment").action_parameters = Json::object({{"replicas", 5}});
  CHECK(loops(timeline).size() == 1);
}

TEST_CASE("a proposal that would go on with a cycle is found, another is not") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) call(timeline, i, "bash", "ls", "same");
  Trace& proposed = call(timeline, 3, "bash", "ls", "");
  proposed.outcome = {};
  const auto all = loops(timeline, {.candidate = true});
  REQUIRE(all.size() == 1);
  CHECK(all[0].action_ids.size() == 4);
  CHECK(repeats(all[0], proposed));
  proposed.action_parameters = Json::object({{"command", "pwd"}});
  CHECK(loops(timeline, {.candidate = true}).empty());
  CHECK_FALSE(repeats(all[0], proposed));

  Timeline two;
  for (int i = 0; i < 2; ++i) call(two, i, "bash", "ls", "same");
  call(two, 2, "bash", "ls", "").outcome = {};
  CHECK(loops(two, {.candidate = true}).empty());
}

TEST_CASE("three ineffective attempts in a row are a chain") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) scored(timeline, 10 * i, .1).action_parameters = Json::object({{"try", i}});
  const auto all = loops(timeline);
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "ineffective-chain");
  CHECK(all[0].confidence == Approx(.647).margin(.001));
  CHECK(all[0].severity == Severity::medium);
  scored(timeline, 30, .1).action_parameters = Json::object({{"try", 3}});
  CHECK(loops(timeline)[0].severity == Severity::high);
  scored(timeline, 40, .1).action_parameters = Json::object({{"try", 4}});
  CHECK(loops(timeline)[0].confidence == Approx(.753).margin(.001));
  CHECK(loops(timeline)[0].severity == Severity::critical);
}

TEST_CASE("what nobody assessed is not ineffective") {
  Timeline timeline;
  for (int i = 0; i < 4; ++i)
    timeline.add(10 * i, "restart_pod").action_parameters = Json::object({{"try", i}});
  CHECK(loops(timeline).empty());
}

TEST_CASE("two failed and one inconclusive block, a success between does not") {
  Timeline timeline;
  for (int i = 0; i < 2; ++i) timeline.add(10 * i, "restart_pod").outcome.status = Status::failed;
  timeline.traces[1].action_parameters = Json::object({{"force", true}});
  scored(timeline, 20, .4);
  CHECK(loops(timeline).size() == 1);

  Timeline begun;
  scored(begun, 0, .4);
  for (int i = 1; i < 3; ++i) begun.add(10 * i, "restart_pod").outcome.status = Status::failed;
  begun.traces[1].action_parameters = Json::object({{"force", true}});
  CHECK(loops(begun).empty());

  Timeline helped;
  helped.add(0, "restart_pod").outcome.status = Status::failed;
  scored(helped, 10, .9);
  helped.add(20, "restart_pod").outcome.status = Status::failed;
  scored(helped, 30, .4);
  CHECK(loops(helped).empty());
}

TEST_CASE("growing parameters are still a loop if the alert comes back") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) {
    Trace& trace = timeline.add(30 * i, "increase_memory");
    trace.action_parameters = Json::object({{"memory", fmt::format("{}Mi", 64 << i)}});
    trace.alert_fingerprint = "oom";
    trace.outcome.execution_end_time = at_minute(30 * i + 1);
  }
  Look look;
  for (int i = 0; i < 3; ++i) {
    Alert alert;
    alert.name = "OOMKilled";
    alert.fingerprint = "oom";
    alert.starts_at = at_minute(30 * i + 20);
    look.alerts.push_back(alert);
  }
  look.as_of = at_minute(85);
  CHECK(loops(timeline, look).size() == 1);
  look.alerts[1].fingerprint = "other";
  CHECK(loops(timeline, look).empty());

  SECTION("and without alert events it is said that nobody knows") {
    const Finding finding = find(shipped(PatternType::ineffective_loop), timeline, {.alerts_known = false});
    CHECK(finding.detections.empty());
    REQUIRE(finding.not_evaluated.size() == 1);
    CHECK(finding.not_evaluated[0].rfind("ineffective-loop: ", 0) == 0);
  }
  SECTION("the firing time of a later action tells it as well") {
    for (int i = 1; i < 3; ++i)
      timeline.traces[static_cast<std::size_t>(i)].alert_firing_time = at_minute(30 * i - 5);
    Trace& next = timeline.add(90, "increase_memory");
    next.alert_fingerprint = "oom";
    next.alert_firing_time = at_minute(85);
    next.outcome = {};
    CHECK(loops(timeline, {.candidate = true}).size() == 1);
  }
}

TEST_CASE("an eviction that leaves the resource as it was is ineffective") {
  Timeline timeline;
  for (int i = 0; i < 4; ++i) {
    Trace& trace = timeline.add(i, "evict_pod");
    trace.action_parameters = Json::object({{"pod", std::to_string(i)}});
    trace.resource_state_before = Json::object({{"cpu_m", 100}});
    trace.outcome.resource_state_after = Json::object({{"cpu_m", 100}});
  }
  CHECK(loops(timeline).size() == 1);
}

TEST_CASE("a good score outweighs an unchanged spec") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) {
    Trace& trace = scored(timeline, 30 * i, .9);
    trace.pre_spec_hash = trace.outcome.post_spec_hash = "A";
  }
  CHECK(loops(timeline).empty());
}

TEST_CASE("a score after the spec drifted is inconclusive") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) {
    Trace& trace = scored(timeline, 10 * i, .1);
    trace.action_parameters = Json::object({{"try", i}});
    trace.outcome.effectiveness_criteria = Json::object({{"spec_drift", true}});
  }
  CHECK(loops(timeline).empty());
}

TEST_CASE("five attempts of any type for one alert without a success are a loop") {
  Timeline timeline;
  const char* types[] = {"restart_pod", "rollback", "scale_deployment", "patch_config", "delete_pod"};
  for (int i = 0; i < 5; ++i) scored(timeline, 10 * i, .4, types[i]).alert_fingerprint = "f";
  auto all = loops(timeline);
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "safety-net");
  CHECK(all[0].severity == Severity::high);
  CHECK(all[0].confidence == Approx(.753).margin(.001));
  timeline.traces[2].outcome.effectiveness_score = .8;
  CHECK(loops(timeline).empty());
  timeline.traces[2].outcome.effectiveness_score.reset();
  CHECK(loops(timeline).empty());
}

TEST_CASE("a proposal of the type that failed three times is found, of another type it is not") {
  Timeline timeline;
  for (int i = 0; i < 3; ++i) scored(timeline, 10 * i, .1).action_parameters = Json::object({{"try", i}});
  Trace& proposed = timeline.add(30, "RestartPod");
  proposed.outcome = {};
  CHECK(loops(timeline, {.candidate = true}).size() == 1);
  proposed.action_type = "rollback";
  CHECK(loops(timeline, {.candidate = true}).empty());
}

TEST_CASE("attempts on other resources are other attempts") {
  Timeline timeline;
  for (int i = 0; i < 6; ++i) {
    Timeline::on(scored(timeline, 10 * i, .1), i % 3 == 0 ? "web" : i % 3 == 1 ? "api" : "db");
    timeline.traces.back().action_parameters = Json::object({{"try", i}});
  }
  CHECK(loops(timeline).empty());
}
