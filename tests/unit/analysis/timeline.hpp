// Builds the actions of a test, one after another, on one resource unless told otherwise.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>

#include "analysis/oscillation.hpp"

namespace actionhist {

inline TimePoint at_minute(double minute) {
  const TimePoint begin = std::chrono::sys_days{std::chrono::year{2026} / 4 / 10};
  return begin + std::chrono::microseconds(static_cast<std::int64_t>(minute * 60e6));
}

class Timeline {
 public:
  explicit Timeline(std::string name = "web") : name_(std::move(name)) {}

  // A completed action; the reference is good until the next.
  Trace& add(double minute, std::string type) {
    Trace& trace = traces.emplace_back();
    trace.action_id = fmt::format("{}-{}", name_, traces.size());
    trace.action_timestamp = at_minute(minute);
    trace.action_type = std::move(type);
    trace.outcome.status = Status::completed;
    on(trace, name_);
    return trace;
  }

  Trace& scale(double minute, int from, int to, std::string type = "scale_deployment") {
    Trace& trace = add(minute, std::move(type));
    trace.action_parameters = Json::object({{"replicas", to}});
    trace.resource_state_before = Json::object({{"replicas", from}});
    trace.outcome.resource_state_after = Json::object({{"replicas", to}});
    return trace;
  }

  // A scaling for each pair of neighbours, `step` minutes apart.
  static Timeline scales(std::initializer_list<int> replicas, double step = 5) {
    Timeline timeline;
    for (auto to = replicas.begin() + 1; to != replicas.end(); ++to) {
      timeline.scale(step * static_cast<double>(timeline.traces.size()), to[-1], *to);
    }
    return timeline;
  }

  static void on(Trace& trace, const std::string& name) {
    trace.resource.kind = "Deployment";
    trace.resource.namespace_ = "shop";
    trace.resource.name = name;
    trace.resource_id = "id-" + name;
  }

  std::vector<Trace> traces;

 private:
  std::string name_;
};

inline Pattern shipped(PatternType type) {
  for (Pattern& pattern : default_patterns()) {
    if (pattern.pattern_type != type) continue;
    pattern.active = true;
    return std::move(pattern);
  }
  return {};
}

// The last of the traces is the proposal.
inline Evidence proposing(std::span<const Trace> traces) {
  Evidence evidence{traces.first(traces.size() - 1)};
  evidence.candidate = &traces.back();
  return evidence;
}

struct Look {
  std::vector<Alert> alerts;
  bool alerts_known = true;
  bool candidate = false;
  std::optional<TimePoint> as_of;  // the last action's time if absent
};

inline Finding find(const Pattern& pattern, const Timeline& timeline, const Look& look = {}) {
  Evidence evidence = look.candidate ? proposing(timeline.traces) : Evidence{timeline.traces};
  evidence.alerts = look.alerts;
  evidence.alerts_known = look.alerts_known;
  evidence.scope = "resource:test";
  return detect(pattern, evidence, look.as_of.value_or(timeline.traces.back().time()));
}

inline std::vector<Detection> found(PatternType type, const Timeline& timeline, const Look& look = {}) {
  return find(shipped(type), timeline, look).detections;
}

}  // namespace actionhist
