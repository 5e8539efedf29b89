// Effectiveness metrics as rows, and what they are computed from, for both engines: the columns of a metric are named
// here and nowhere else. A reader R has read(member), get<T>() and blob(), column by column, as the engines' own
// readers do.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/metric_store.hpp>

namespace actionhist::sql {

// Calls visit(column, value) for each column but tenant_id. Text is never NULL.
template <class Visitor>
void visit_metric(const EffectivenessMetric& m, Visitor&& visit) {
  visit("scope_type", to_string(m.scope_type));
  visit("scope_value", std::string_view(m.scope_value));
  visit("metric_period", to_string(m.metric_period));
  visit("period_start", m.period_start);
  visit("period_end", m.period_end);
  visit("action_type", std::string_view(m.action_type));
  visit("sample_size", m.sample_size);
  visit("average_score", m.average_score);
  visit("median_score", m.median_score);
  visit("std_deviation", m.std_deviation);
  visit("confidence_interval_lower", m.confidence_interval_lower);
  visit("confidence_interval_upper", m.confidence_interval_upper);
  visit("trend_direction", std::string_view(m.trend_direction));
  visit("trend_confidence", m.trend_confidence);
  visit("trend_slope", m.trend_slope);
  visit("min_sample_size_met", m.min_sample_size_met);
  visit("statistical_significance", m.statistical_significance);
  visit("alarm", m.alarm);
}

template <class R>
EffectivenessMetric read_metric(R& row) {
  EffectivenessMetric m;
  m.scope_type = parse_metric_scope(row.template get<std::string>());
  row.read(m.scope_value);
  m.metric_period = parse_metric_period(row.template get<std::string>());
  row.read(m.period_start).read(m.period_end).read(m.action_type).read(m.sample_size).read(m.average_score);
  row.read(m.median_score).read(m.std_deviation).read(m.confidence_interval_lower);
  row.read(m.confidence_interval_upper).read(m.trend_direction).read(m.trend_confidence).read(m.trend_slope);
  row.read(m.min_sample_size_met).read(m.statistical_significance).read(m.alarm);
  return m;
}

// "scope_type, scope_value, action_type, summary"
template <class R>
KeptMetric read_kept(R& row) {
  KeptMetric kept;
  kept.metric.scope_type = parse_metric_scope(row.template get<std::string>());
  row.read(kept.metric.scope_value).read(kept.metric.action_type);
  kept.summary = row.blob();
  return kept;
}

// "hour, version"
template <class R>
ScoredHour read_scored_hour(R& row) {
  ScoredHour hour;
  row.read(hour.hour).read(hour.version);
  return hour;
}

// "action_timestamp, action_type, namespace, kind, alert_name, model_used, effectiveness_score"
template <class R>
ScoredAction read_scored_action(R& row) {
  ScoredAction scored;
  row.read(scored.time).read(scored.action_type).read(scored.namespace_).read(scored.kind);
  row.read(scored.alert_name).read(scored.model).read(scored.score);
  return scored;
}

// "scope_type, scope_value, …"
const std::string& metric_columns();

}  // namespace actionhist::sql
