// The rows of what the guard learns from, for both engines. A reader R has read(member) and get<T>(), column by
// column, as the engines' own readers do.
#pragma once

#include <actionhist/detection.hpp>
#include <actionhist/learning_store.hpp>

#include "sql/json_list.hpp"

namespace actionhist::sql {

// The columns of a tally, in the order of its members.
template <class R>
Tally read_tally(R& row) {
  Tally tally;
  row.read(tally.action_type).read(tally.same_alert).read(tally.same_namespace).read(tally.same_resource);
  row.read(tally.actions).read(tally.known).read(tally.success);
  return tally;
}

// "override_id, action_id, actor, reason, overridden_at, detection_ids"
template <class R>
OverrideRecord read_override(R& row) {
  OverrideRecord record;
  row.read(record.override_id).read(record.action_id).read(record.actor).read(record.reason);
  row.read(record.overridden_at);
  record.detection_ids = read_list(row.template get<std::string>());
  return record;
}

// "oscillation_window_minutes, effectiveness_threshold, pattern_min_occurrences"
template <class R>
GuardPolicy read_guard_policy(R& row) {
  GuardPolicy policy;
  std::optional<std::int64_t> window, occurrences;
  row.read(window).read(policy.effectiveness_threshold).read(occurrences);
  if (window) policy.window = std::chrono::minutes(*window);
  if (occurrences) policy.min_occurrences = static_cast<int>(*occurrences);
  return policy;
}

// "resource_id, updated_at"
template <class R>
DueAnalysis read_due_analysis(R& row) {
  DueAnalysis due;
  row.read(due.resource_id).read(due.changed_at);
  return due;
}

}  // namespace actionhist::sql
