// Patterns and detections as rows, for both engines: the columns are named here and nowhere else.
// A reader R has read(member) and get<T>(), column by column, as the engines' own readers do.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/detection.hpp>

#include "sql/json_list.hpp"

namespace actionhist::sql {

// Text of a column that is never NULL: empty stays empty.
struct Required {
  std::string_view text;
};

// Calls visit(column, value) for each column but tenant_id.
template <class Visitor>
void visit_pattern(const Pattern& p, Visitor&& visit) {
  visit("pattern_id", p.pattern_id);
  visit("pattern_type", to_string(p.pattern_type));
  visit("pattern_name", Required{p.pattern_name});
  visit("description", p.description);
  visit("min_occurrences", static_cast<std::int64_t>(p.min_occurrences));
  visit("time_window_minutes", static_cast<std::int64_t>(p.time_window.count()));
  visit("threshold_config", p.threshold_config);
  visit("action_sequence", p.action_sequence.empty() ? std::string() : write_list(p.action_sequence));
  visit("resource_types", write_list(p.resource_types));
  visit("namespaces", write_list(p.namespaces));
  visit("label_selectors", p.label_selectors);
  visit("prevention_strategy", to_string(p.prevention_strategy));
  visit("prevention_parameters", p.prevention_parameters);
  visit("alerting_enabled", p.alerting_enabled);
  visit("alert_severity", Required{p.alert_severity});
  visit("alert_channels", write_list(p.alert_channels));
  visit("total_detections", p.total_detections);
  visit("prevention_success_rate", p.prevention_success_rate);
  visit("false_positive_rate", p.false_positive_rate);
  visit("last_detection_at", p.last_detection_at);
  visit("created_at", p.created_at);
  visit("updated_at", p.updated_at);
  visit("shadow", p.shadow);
  visit("active", p.active);
  visit("alert_webhook", p.alert_webhook);
}

template <class R>
Pattern read_pattern(R& row) {
  Pattern p;
  row.read(p.pattern_id);
  p.pattern_type = parse_pattern_type(row.template get<std::string>());
  row.read(p.pattern_name).read(p.description).read(p.min_occurrences);
  p.time_window = std::chrono::minutes{row.template get<std::int64_t>()};
  row.read(p.threshold_config);
  if (const auto list = row.template get<std::string>(); !list.empty()) p.action_sequence = read_list(list);
  p.resource_types = read_list(row.template get<std::string>());
  p.namespaces = read_list(row.template get<std::string>());
  row.read(p.label_selectors);
  p.prevention_strategy = parse_prevention(row.template get<std::string>());
  row.read(p.prevention_parameters).read(p.alerting_enabled).read(p.alert_severity);
  p.alert_channels = read_list(row.template get<std::string>());
  row.read(p.total_detections).read(p.prevention_success_rate).read(p.false_positive_rate);
  row.read(p.last_detection_at).read(p.created_at).read(p.updated_at).read(p.shadow).read(p.active);
  row.read(p.alert_webhook);
  return p;
}

template <class Visitor>
void visit_detection(const Detection& d, Visitor&& visit) {
  const auto span = std::chrono::ceil<std::chrono::minutes>(d.last_at - d.first_at);
  visit("detection_id", d.detection_id);
  visit("pattern_id", d.pattern_id);
  visit("pattern_type", to_string(d.pattern_type));
  visit("scope", d.scope);
  visit("resources", write_list(d.resources));
  visit("detected_at", d.as_of);
  visit("confidence", d.confidence);
  visit("severity", to_string(d.severity));
  visit("sub_kind", d.sub_kind);
  visit("action_count", static_cast<std::int64_t>(d.action_ids.size()));
  visit("time_span_minutes", static_cast<std::int64_t>(span.count()));
  visit("matching_actions", write_list(d.action_ids));
  visit("pattern_evidence", d.evidence);
  visit("first_at", d.first_at);
  visit("last_at", d.last_at);
  visit("prevention_applied", d.prevention.has_value());
  visit("prevention_action", d.prevention ? to_string(*d.prevention) : std::string_view{});
  visit("in_force_until", d.in_force_until);
  visit("refusals", d.refusals);
  visit("refused_ids", write_list(d.refused_ids));
  visit("resolved_at", d.resolved_at);
  visit("resolution_method", d.resolution_method);
  visit("resolution_notes", d.resolution_notes);
  visit("false_positive", d.false_positive);
  visit("shadow", d.shadow);
  visit("overrides", d.overrides);
  visit("prevention_details", d.prevention_details);
  visit("prevention_successful", d.prevention_successful);
}

template <class R>
Detection read_detection(R& row) {
  Detection d;
  row.read(d.detection_id).read(d.pattern_id);
  d.pattern_type = parse_pattern_type(row.template get<std::string>());
  row.read(d.scope);
  d.resources = read_list(row.template get<std::string>());
  row.read(d.as_of).read(d.confidence);
  d.severity = parse_severity(row.template get<std::string>());
  row.read(d.sub_kind);
  static_cast<void>(row.template get<std::int64_t>());  // how many there are, and
  static_cast<void>(row.template get<std::int64_t>());  // over how long, follows from the rest
  d.action_ids = read_list(row.template get<std::string>());
  row.read(d.evidence).read(d.first_at).read(d.last_at);
  static_cast<void>(row.template get<bool>());
  if (const auto prevention = row.template get<std::string>(); !prevention.empty()) {
    d.prevention = parse_prevention(prevention);
  }
  row.read(d.in_force_until).read(d.refusals);
  d.refused_ids = read_list(row.template get<std::string>());
  row.read(d.resolved_at).read(d.resolution_method).read(d.resolution_notes).read(d.false_positive);
  row.read(d.shadow).read(d.overrides).read(d.prevention_details).read(d.prevention_successful);
  return d;
}

// "pattern_id, pattern_type, …"
const std::string& pattern_columns();
const std::string& detection_columns();

// "pattern_type = excluded.pattern_type, …": what storing a known pattern changes. What was counted stays.
const std::string& pattern_assignments();

// "in_force_until = excluded.in_force_until, …": what storing a known detection changes.
const std::string& detection_assignments();

}  // namespace actionhist::sql
