// The rows of retention as SQL knows them: which column holds which member, once for both engines.
// A reader R has read(member) and get<T>(), column by column, as the engines' own readers do.
#pragma once

#include <string>

#include <actionhist/repository.hpp>
#include <actionhist/retention.hpp>

#include "sql/resource_rows.hpp"

namespace actionhist::sql {

// A policy in the types of its columns.
struct PolicyRow {
  std::optional<std::int64_t> max_actions;
  std::optional<std::int64_t> max_age_days;
  std::string compaction_strategy;
  std::optional<double> min_effectiveness;
  int pattern_examples = 0;
  int high_effectiveness = 0;
  bool legal_hold = false;
  bool compact = false;
};

PolicyRow to_row(const RetentionPolicy& policy);
RetentionPolicy from_row(const PolicyRow& row);

template <class RowT, class Visitor>
void visit_policy(RowT&& row, Visitor&& visit) {
  visit("max_actions", row.max_actions);
  visit("max_age_days", row.max_age_days);
  visit("compaction_strategy", row.compaction_strategy);
  visit("min_effectiveness", row.min_effectiveness);
  visit("pattern_examples", row.pattern_examples);
  visit("high_effectiveness", row.high_effectiveness);
  visit("legal_hold", row.legal_hold);
  visit("compact", row.compact);
}

template <class OperationT, class Visitor>
void visit_operation(OperationT&& operation, Visitor&& visit) {
  visit("operation_id", operation.operation_id);
  visit("run_id", operation.run_id);
  visit("resource_id", operation.resource_id);
  visit("operation_type", operation.operation_type);
  visit("strategy_used", operation.strategy_used);
  visit("records_before", operation.records_before);
  visit("records_after", operation.records_after);
  visit("records_deleted", operation.records_deleted);
  visit("records_archived", operation.records_archived);
  visit("retention_criteria", operation.retention_criteria);
  visit("preserved_criteria", operation.preserved_criteria);
  visit("operation_start", operation.operation_start);
  visit("operation_end", operation.operation_end);
  visit("operation_duration_ms", operation.operation_duration_ms);
  visit("operation_status", operation.operation_status);
  visit("error_message", operation.error_message);
  visit("created_at", operation.created_at);
  visit("updated_at", operation.updated_at);
}

template <class ActionsT, class Visitor>
void visit_compacted(ActionsT&& actions, Visitor&& visit) {
  visit("resource_id", actions.resource_id);
  visit("action_type", actions.action_type);
  visit("alert_name", actions.alert_name);
  visit("period_start", actions.period_start);
  visit("actions", actions.actions);
  visit("completed", actions.completed);
  visit("failed", actions.failed);
  visit("assessed", actions.assessed);
  visit("score_sum", actions.score_sum);
  visit("score_square_sum", actions.score_square_sum);
  visit("timed", actions.timed);
  visit("duration_ms_sum", actions.duration_ms_sum);
  visit("first_at", actions.first_at);
  visit("last_at", actions.last_at);
}

// The columns of policy_columns().
template <class R>
RetentionPolicy read_policy(R& reader) {
  PolicyRow row;
  visit_policy(row, [&](std::string_view, auto& member) { reader.read(member); });
  return from_row(row);
}

// The columns of operation_columns().
template <class R>
RetentionOperation read_operation(R& reader) {
  RetentionOperation operation;
  visit_operation(operation, [&](std::string_view, auto& member) { reader.read(member); });
  return operation;
}

// The columns of compacted_columns().
template <class R>
CompactedActions read_compacted(R& reader) {
  CompactedActions actions;
  visit_compacted(actions, [&](std::string_view, auto& member) { reader.read(member); });
  return actions;
}

// "action_id, action_timestamp, execution_status, effectiveness_score", and whether it is held by its own name.
template <class R>
RetentionCandidate read_candidate(R& reader) {
  RetentionCandidate candidate;
  reader.read(candidate.action_id).read(candidate.time).read(candidate.status).read(candidate.score);
  reader.read(candidate.held);
  return candidate;
}

// The columns of select_groups().
template <class R>
RetentionGroup read_group(R& reader) {
  RetentionGroup group;
  reader.read(group.resource_id).read(group.total);
  group.resource = read_reference(reader);
  const bool own = reader.template get<bool>();
  const RetentionPolicy policy = sql::read_policy(reader);
  if (own) group.own = policy;
  reader.read(group.held);
  return group;
}

// Lists of their columns: "max_actions, max_age_days, …".
const std::string& policy_columns();
const std::string& operation_columns();
const std::string& compacted_columns();

// "max_actions = excluded.max_actions, …": what setting a policy again and what a step of a run change.
const std::string& policy_assignments();
const std::string& operation_assignments();

// Whether a legal hold covers the resource that a row with this alias names: what the hold leaves empty of cluster, API
// group and namespace may be any. One for both engines.
std::string held_by_name(std::string_view alias);

// "SELECT … WHERE h.tenant_id = ", for the engine to end with its parameter. The resource may be one that no
// action has named yet.
const std::string& select_groups();

}  // namespace actionhist::sql
