// One instance of a pattern, with the evidence to redraw it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/pattern.hpp>

namespace actionhist {

struct Detection {
  std::string detection_id;  // empty until stored
  std::string pattern_id;
  PatternType pattern_type = PatternType::scale_oscillation;
  std::string scope;                    // "resource:…", "correlation:…" or "session:…"
  std::vector<std::string> resources;   // ids of all resources involved; may be empty
  std::vector<std::string> action_ids;  // what matched, oldest first; may include the proposed action
  double confidence = 0;                // 0 to 1
  Severity severity = Severity::low;
  std::string sub_kind;  // "exact-cycle", "controller-conflict", …; explains the rule
  Json evidence;         // every count that the rule used
  TimePoint as_of{};
  TimePoint first_at{};
  TimePoint last_at{};

  // What was done about it.
  std::optional<Prevention> prevention;
  std::optional<TimePoint> in_force_until;  // a detection in force refuses its like
  std::int64_t refusals = 0;
  std::vector<std::string> refused_ids;  // the last 16
  std::optional<TimePoint> resolved_at;
  std::string resolution_method;  // timeout, manual-intervention, automatic

  friend bool operator==(const Detection&, const Detection&) = default;
};

std::string to_json(const Detection& detection);

}  // namespace actionhist
