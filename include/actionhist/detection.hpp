// One instance of a pattern, with the evidence to redraw it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/pattern.hpp>
#include <actionhist/resource.hpp>

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
  bool shadow = false;                   // nothing was refused, because the pattern is only tried
  std::int64_t overrides = 0;            // actions that somebody let pass all the same
  Json prevention_details;               // {"alternative": "rollback_deployment", …}
  // Absent until it can be said: true when the pattern did not come back on this scope within 24 hours of the
  // prevention. That is an association, not a proof.
  std::optional<bool> prevention_successful;
  std::optional<TimePoint> resolved_at;
  std::string resolution_method;  // timeout, manual-intervention, automatic
  std::string resolution_notes;
  bool false_positive = false;

  friend bool operator==(const Detection&, const Detection&) = default;
};

// How a detection ended.
struct Resolution {
  std::string method = "manual-intervention";  // timeout, manual-intervention, automatic
  std::string notes;
  bool false_positive = false;  // there was nothing to prevent
};

// Which stored detections to list. Newest first. What is empty or absent lets all pass.
struct DetectionQuery {
  std::string pattern_id;
  std::string scope;  // "resource:…", "correlation:…" or "session:…"
  // In place of a scope: kind and name at least. A cluster or API group that is left out is that of the only resource
  // with these names.
  Resource resource;
  std::optional<TimePoint> since;
  std::optional<TimePoint> until;
  bool unresolved = false;  // only those
  int limit = 50;           // 1 to 10,000
};

// Somebody who lets a refused action pass, and why. Both are required and kept.
struct Override {
  std::string actor;
  std::string reason;
};

// An override as it was recorded.
struct OverrideRecord {
  std::string override_id;
  std::string action_id;
  std::string actor;
  std::string reason;
  TimePoint overridden_at{};
  std::vector<std::string> detection_ids;  // that would have refused it
};

// What one settle() did.
struct Settlement {
  std::int64_t resolved_by_timeout = 0;
  std::int64_t resolved_by_evidence = 0;  // their alert ended
  std::int64_t judged = 0;                // preventions that now can be called successful or not
};

// What the guard takes instead of each pattern's own, for one resource. Absent: the pattern's.
struct GuardPolicy {
  std::optional<std::chrono::minutes> window;     // 1 minute to 30 days
  std::optional<double> effectiveness_threshold;  // 0 to 1
  std::optional<int> min_occurrences;             // at least 1

  friend bool operator==(const GuardPolicy&, const GuardPolicy&) = default;
};

// A detection that refuses a proposal, or would have, or that analyse() or upkeep() found.
struct DetectionNotice {
  Detection detection;
  std::string action_id;  // that was proposed, or the last one that the detection is made of
  bool fresh = false;     // found now, not in force already
  bool overridden = false;
  std::string alert_severity;  // as the pattern says
  std::vector<std::string> alert_channels;
};
using DetectionCallback = std::function<void(const DetectionNotice&)>;

struct DetectQuery {
  Resource resource;           // kind and name, or
  std::string correlation_id;  // one of these
  std::string session_id;
  std::optional<TimePoint> as_of;              // the clock if absent
  std::optional<std::chrono::minutes> window;  // each pattern's own if absent
};

std::string to_json(const Detection& detection);
std::string to_json(const OverrideRecord& record);
std::string to_json(const Settlement& settlement);
std::string to_json(const GuardPolicy& policy);
std::string to_json(const DetectionNotice& notice);

// {"oscillation_window_minutes": 60, "effectiveness_threshold": 0.5, "pattern_min_occurrences": 4}
// Throws Error: invalid_argument, naming the field.
GuardPolicy parse_guard_policy(std::string_view json);
Resolution parse_resolution(std::string_view json);
Override parse_override(std::string_view json);

}  // namespace actionhist
