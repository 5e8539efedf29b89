// Effectiveness metrics as rows, for both engines: the columns are named here and nowhere else.
#pragma once

#include <string>
#include <string_view>

#include <actionhist/metrics.hpp>

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

// "scope_type, scope_value, …"
const std::string& metric_columns();

}  // namespace actionhist::sql
