// The one table of the columns of a trace. It drives the JSON form, the SQL rows, the CSV export, the
// filters and the validation: a field is added here and in a migration, and nowhere else.
#pragma once

#include <array>
#include <string_view>
#include <type_traits>

#include <actionhist/action.hpp>

namespace actionhist {

// Calls visit(name, member) for each field, in the order of the columns. A const object gives const members.
template <class ActionT, class Visitor>
void visit_cause(ActionT&& action, Visitor&& visit) {
  visit("action_id", action.action_id);
  visit("correlation_id", action.correlation_id);
  visit("session_id", action.session_id);
  visit("actor", action.actor);
  visit("environment", action.environment);
  visit("action_timestamp", action.action_timestamp);
  visit("alert_name", action.alert_name);
  visit("alert_severity", action.alert_severity);
  visit("alert_labels", action.alert_labels);
  visit("alert_annotations", action.alert_annotations);
  visit("alert_firing_time", action.alert_firing_time);
  visit("alert_fingerprint", action.alert_fingerprint);
  visit("model_used", action.model_used);
  visit("routing_tier", action.routing_tier);
  visit("model_confidence", action.model_confidence);
  visit("model_reasoning", action.model_reasoning);
  visit("alternative_actions", action.alternative_actions);
  visit("action_type", action.action_type);
  visit("effect", action.effect);
  visit("action_parameters", action.action_parameters);
  visit("owner", action.owner);
  visit("resource_state_before", action.resource_state_before);
  visit("pre_spec_hash", action.pre_spec_hash);
  visit("follow_up_actions", action.follow_up_actions);
  visit("metadata", action.metadata);
}

template <class ResourceT, class Visitor>
void visit_resource(ResourceT&& resource, Visitor&& visit) {
  visit("cluster", resource.cluster);
  visit("api_group", resource.api_group);
  visit("api_version", resource.api_version);
  visit("kind", resource.kind);
  visit("namespace", resource.namespace_);
  visit("name", resource.name);
  visit("resource_uid", resource.uid);
}

template <class OutcomeT, class Visitor>
void visit_outcome(OutcomeT&& outcome, Visitor&& visit) {
  visit("execution_status", outcome.status);
  visit("execution_start_time", outcome.execution_start_time);
  visit("execution_end_time", outcome.execution_end_time);
  visit("execution_duration_ms", outcome.execution_duration_ms);
  visit("execution_error", outcome.execution_error);
  visit("kubernetes_operations", outcome.kubernetes_operations);
  visit("resource_state_after", outcome.resource_state_after);
  visit("post_spec_hash", outcome.post_spec_hash);
  visit("result_hash", outcome.result_hash);
  visit("effectiveness_score", outcome.effectiveness_score);
  visit("effectiveness_criteria", outcome.effectiveness_criteria);
  visit("effectiveness_assessed_at", outcome.effectiveness_assessed_at);
  visit("effectiveness_assessment_method", outcome.effectiveness_assessment_method);
  visit("effectiveness_notes", outcome.effectiveness_notes);
  visit("effectiveness_due_at", outcome.effectiveness_due_at);
}

// All columns of the table resource_action_traces but tenant_id, in their order.
template <class TraceT, class Visitor>
void visit_columns(TraceT&& trace, Visitor&& visit) {
  visit_cause(trace, visit);
  visit_resource(trace.resource, visit);
  visit("resource_id", trace.resource_id);
  visit_outcome(trace.outcome, visit);
  visit("created_at", trace.created_at);
  visit("updated_at", trace.updated_at);
}

// False for the columns on which no decision of the guard depends: texts for people, and what is noted beside.
bool judged(std::string_view column);

enum class FieldType { text, number, integer, time, json };

template <class Member>
constexpr FieldType field_type() {
  using T = std::remove_cvref_t<Member>;
  if constexpr (std::is_same_v<T, Json>) {
    return FieldType::json;
  } else if constexpr (std::is_same_v<T, std::optional<double>>) {
    return FieldType::number;
  } else if constexpr (std::is_same_v<T, std::optional<std::int64_t>>) {
    return FieldType::integer;
  } else if constexpr (std::is_same_v<T, TimePoint> || std::is_same_v<T, std::optional<TimePoint>>) {
    return FieldType::time;
  } else {
    return FieldType::text;
  }
}

struct FieldPath {
  std::string_view column;
  FieldType type;
  std::string_view path;  // below a JSON column, empty for the column itself
};

// The column that a name of the filter language means, with aliases such as `resource_reference.kind`.
// Throws Error: invalid_argument for a name that is no column.
FieldPath resolve_field(std::string_view name);

// The filter with the names of columns instead of aliases, and times as integer microseconds: what both the
// SQL and the index evaluate. Absent stays absent.
Json resolve_where(const Json& where);

// What the index keeps of a trace for its filters: the columns, times as integer microseconds.
Json filter_fields(const Trace& trace);

}  // namespace actionhist
