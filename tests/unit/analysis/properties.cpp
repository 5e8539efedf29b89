// What must not matter to any pattern, tried on many random histories of mixed actions; those of scalings alone are
// in oscillation.cpp.
#include <random>

#include <catch2/catch.hpp>

#include "timeline.hpp"

using namespace actionhist;

namespace {

constexpr int histories = 150;

int one_of(std::mt19937& random, int bound) {
  return static_cast<int>(random() % static_cast<unsigned>(bound));
}

// A few kinds of actions on a few resources, with enough repetition that many histories hold a loop.
Timeline random_history(std::mt19937& random) {
  constexpr const char* types[] = {"scale_deployment", "restart_deployment", "update_resources",
                                   "get_pod_logs"};
  Timeline timeline;
  double minute = 0;
  std::vector<int> replicas{3, 3};
  for (int i = 0, size = 6 + one_of(random, 14); i < size; ++i) {
    minute += 1 + one_of(random, 12);
    const auto target = static_cast<std::size_t>(one_of(random, 2));
    const int kind = one_of(random, 4);
    if (kind == 0) {
      const int to = 2 + one_of(random, 4);
      timeline.scale(minute, replicas[target], to);
      replicas[target] = to;
    } else {
      timeline.add(minute, types[kind]).action_parameters =
          Json::object({{"memory", one_of(random, 2) == 0 ? "512Mi" : "1Gi"}});
    }
    Trace& trace = timeline.traces.back();
    Timeline::on(trace, target == 0 ? "web" : "api");
    trace.correlation_id = "run";
    trace.alert_name = "HighLatency";
    trace.alert_fingerprint = "f1";
    trace.outcome.result_hash = std::to_string(one_of(random, 2));
    if (one_of(random, 3) == 0) trace.outcome.status = Status::failed;
    if (one_of(random, 2) == 0) trace.outcome.effectiveness_score = .1 * one_of(random, 11);
  }
  return timeline;
}

// What was found, without what names and times are in it.
std::vector<std::string> essence(const Timeline& timeline) {
  std::vector<std::string> all;
  for (const Pattern& pattern : default_patterns()) {
    for (const bool candidate : {false, true}) {
      const Finding finding = find(pattern, timeline, {.candidate = candidate});
      for (const Detection& each : finding.detections) {
        all.push_back(fmt::format("{} {} {} {} {} {}", candidate, to_string(each.pattern_type), each.sub_kind,
                                  each.confidence, to_string(each.severity),
                                  fmt::join(each.action_ids, ",")));
      }
      for (const std::string& reason : finding.not_evaluated) all.push_back(reason);
    }
  }
  std::ranges::sort(all);
  return all;
}

std::string camel_case(std::string_view type) {
  std::string text;
  bool upper = true;
  for (const char c : type) {
    if (c == '_') {
      upper = true;
      continue;
    }
    text += upper ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  return text;
}

}  // namespace

TEST_CASE("names, times and spellings mean nothing to any pattern, looking back or at a proposal") {
  std::mt19937 random(1);
  std::size_t found = 0;
  for (int i = 0; i < histories; ++i) {
    const Timeline original = random_history(random);
    const std::vector<std::string> expected = essence(original);
    found += expected.size();
    INFO(i);
    Timeline renamed = original;
    for (Trace& trace : renamed.traces) Timeline::on(trace, trace.resource.name + "-0a1b-blue");
    CHECK(essence(renamed) == expected);
    Timeline shifted = original;
    for (Trace& trace : shifted.traces) *trace.action_timestamp += std::chrono::minutes(16 * 24 * 60 + 431);
    CHECK(essence(shifted) == expected);
    Timeline respelled = original;
    for (Trace& trace : respelled.traces) {
      std::ranges::replace(trace.action_type, '_', one_of(random, 2) == 0 ? '-' : '.');
    }
    CHECK(essence(respelled) == expected);
    Timeline camel = original;
    for (Trace& trace : camel.traces) trace.action_type = camel_case(trace.action_type);
    CHECK(essence(camel) == expected);
  }
  // The histories do hold loops.
  CHECK(found > 20);
}

TEST_CASE("memory that only grows or only shrinks is never flagged") {
  std::mt19937 random(3);
  for (int i = 0; i < histories; ++i) {
    Timeline timeline;
    const int sign = i % 2 == 0 ? 1 : -1;
    int value = sign > 0 ? 1 : 400;
    double minute = 0;
    for (int j = 0; j < 15; ++j) {
      minute += 1 + one_of(random, 15);
      const int to = value + sign * (1 + one_of(random, 20));
      const auto amount = [](int mebibytes) {
        return Json::object({{"memory", fmt::format("{}Mi", mebibytes)}});
      };
      Trace& trace = timeline.add(minute, "update_resources");
      trace.resource_state_before = amount(64 * value);
      trace.action_parameters = trace.outcome.resource_state_after = amount(64 * to);
      value = to;
      CHECK(essence(timeline).empty());
    }
  }
}
