#include <catch2/catch.hpp>

#include "core/json_io.hpp"
#include "timeline.hpp"

using namespace actionhist;

namespace {

std::vector<Detection> oscillations(const Timeline& timeline, const Look& look = {}) {
  return found(PatternType::scale_oscillation, timeline, look);
}

double number(const Detection& detection, const char* name) {
  JsonDocument document;
  return double(document.parse(detection.evidence)[name]);
}

Timeline verbs(std::initializer_list<const char*> types) {
  Timeline timeline;
  for (const char* type : types) timeline.add(5. * static_cast<double>(timeline.traces.size()), type);
  return timeline;
}

}  // namespace

TEST_CASE("3,5,3,5 comes back by two thirds") {
  const auto all = oscillations(Timeline::scales({3, 5, 3, 5}));
  REQUIRE(all.size() == 1);
  CHECK(all[0].confidence == .5);
  CHECK(all[0].severity == Severity::medium);
  CHECK(all[0].sub_kind == "by-value");
  CHECK(all[0].action_ids == std::vector<std::string>{"web-1", "web-2", "web-3"});
  CHECK(all[0].resources == std::vector<std::string>{"id-web"});
  CHECK(number(all[0], "reversals") == 2);
  CHECK(number(all[0], "path") == 6);
  CHECK(number(all[0], "net") == 2);
  CHECK(number(all[0], "rho") == Approx(2. / 3));
  CHECK(number(all[0], "median_interval_seconds") == 300);
  CHECK(prevents(shipped(PatternType::scale_oscillation), all[0]));
}

TEST_CASE("a resource that only grows does not oscillate") {
  CHECK(oscillations(Timeline::scales({2, 3, 5, 9})).empty());
  CHECK(oscillations(Timeline::scales({3, 4, 5, 6, 7, 8})).empty());
}

TEST_CASE("a nightly stop and a morning start are no oscillation") {
  Timeline timeline;
  timeline.scale(0, 3, 0);
  timeline.scale(16 * 60, 0, 3);
  timeline.scale(24 * 60, 3, 0);
  timeline.scale(40 * 60, 0, 3);
  CHECK(oscillations(timeline).empty());
}

TEST_CASE("a small correction after a large step is no reversal") {
  CHECK(oscillations(Timeline::scales({10, 20, 19, 21, 30})).empty());
}

TEST_CASE("a pause longer than half an hour ends a swing") {
  CHECK(oscillations(Timeline::scales({3, 5, 3, 5}, 31)).empty());
  CHECK(oscillations(Timeline::scales({3, 5, 3, 5}, 30)).size() == 1);
}

TEST_CASE("verbs that alternate without numbers oscillate") {
  const auto all = oscillations(verbs({"scale_up", "scale_down", "scale_up", "scale_down"}));
  REQUIRE(all.size() == 1);
  CHECK(all[0].confidence == Approx(.875 * .6));
  CHECK(all[0].sub_kind == "by-verb");
  CHECK(all[0].severity == Severity::high);
  CHECK(oscillations(verbs({"scale_up", "scale_up", "scale_up", "scale_up"})).empty());
}

TEST_CASE("2,4,2,4,2 is an oscillation with and without scores") {
  Timeline timeline = Timeline::scales({2, 4, 2, 4, 2});
  auto all = oscillations(timeline);
  REQUIRE(all.size() == 1);
  CHECK(all[0].confidence == Approx(.875));
  CHECK(found(PatternType::ineffective_loop, timeline).empty());
  const double scores[] = {.8, .65, .5, .35};
  for (std::size_t i = 0; i < 4; ++i) timeline.traces[i].outcome.effectiveness_score = scores[i];
  CHECK(oscillations(timeline).size() == 1);
}

TEST_CASE("2,4,4,2 has one reversal although a repeated value stands between") {
  Pattern pattern = shipped(PatternType::scale_oscillation);
  pattern.min_occurrences = 1;
  const Timeline timeline = Timeline::scales({2, 4, 4, 2});
  const auto all = find(pattern, timeline).detections;
  REQUIRE(all.size() == 1);
  CHECK(number(all[0], "reversals") == 1);
  CHECK(oscillations(timeline).empty());
}

TEST_CASE("four quick reversals are critical") {
  CHECK(oscillations(Timeline::scales({2, 4, 2, 4, 2, 4}))[0].severity == Severity::critical);
  CHECK(oscillations(Timeline::scales({2, 4, 2, 4, 2, 4}, 20))[0].severity == Severity::high);
  Timeline useless = Timeline::scales({2, 4, 2, 4, 2, 4}, 20);
  for (Trace& trace : useless.traces) trace.outcome.effectiveness_score = .4;
  CHECK(oscillations(useless)[0].severity == Severity::critical);
}

TEST_CASE("two actors that take turns are in conflict") {
  Timeline timeline = Timeline::scales({2, 6, 2, 6, 2});
  for (std::size_t i = 0; i < timeline.traces.size(); ++i)
    timeline.traces[i].actor = i % 2 == 0 ? "hpa" : "flux";
  CHECK(oscillations(timeline)[0].sub_kind == "controller-conflict");
  for (Trace& trace : timeline.traces) trace.actor = "hpa";
  CHECK(oscillations(timeline)[0].sub_kind == "by-value");
}

TEST_CASE("a proposal that would swing back is found, one that goes on is not") {
  Timeline timeline = Timeline::scales({3, 5, 3});
  Trace& proposed = timeline.add(10, "scale_deployment");
  proposed.action_parameters = Json::object({{"replicas", 5}});
  proposed.outcome = {};
  const auto all = oscillations(timeline, {.candidate = true});
  REQUIRE(all.size() == 1);
  CHECK(all[0].action_ids.back() == proposed.action_id);
  CHECK(prevents(shipped(PatternType::scale_oscillation), all[0]));

  proposed.action_parameters = Json::object({{"replicas", 2}});
  CHECK(oscillations(timeline, {.candidate = true}).empty());

  // The oscillation of the past is no reason to refuse something else.
  Timeline past = Timeline::scales({3, 5, 3, 5});
  past.add(16, "restart_pod").outcome = {};
  CHECK(oscillations(past).size() == 1);
  CHECK(oscillations(past, {.candidate = true}).empty());
}

TEST_CASE("pending actions count by what they asked for, failed ones and those never begun do not") {
  Timeline timeline = Timeline::scales({3, 5, 3, 5});
  timeline.traces[1].outcome = {};
  CHECK(oscillations(timeline).size() == 1);
  timeline.traces[1].outcome.status = Status::cancelled;
  CHECK(oscillations(timeline).empty());
  timeline.traces[1].outcome.execution_start_time = at_minute(5);
  CHECK(oscillations(timeline).size() == 1);
  timeline.traces[1].outcome.status = Status::failed;
  CHECK(oscillations(timeline).empty());
}

TEST_CASE("each dimension swings for itself") {
  Timeline timeline;
  for (int i = 0; i < 4; ++i) {
    timeline.add(5. * i, "update_hpa").action_parameters =
        Json::object({{"minReplicas", i % 2 == 0 ? 1 : 3}, {"maxReplicas", 10 + i}});
  }
  const auto all = oscillations(timeline);
  REQUIRE(all.size() == 1);
  JsonDocument document;
  CHECK(std::string_view(document.parse(all[0].evidence)["dimension"]) == "min_replicas");
}

TEST_CASE("the seed's own scale_up and scale_down with numbers oscillate like any other type") {
  Timeline timeline;
  for (int i = 0; i < 4; ++i) {
    timeline.scale(5. * i, i % 2 == 0 ? 3 : 5, i % 2 == 0 ? 5 : 3, i % 2 == 0 ? "scale_up" : "scale_down");
  }
  CHECK(oscillations(timeline).size() == 1);
}
