#include <actionhist/metrics.hpp>

#include "core/json_fields.hpp"
#include "core/names.hpp"
#include "core/resource_json.hpp"

namespace actionhist {
namespace {

constexpr NameTable<MetricScope, 6> scope_names{{
    {MetricScope::global, "global"},
    {MetricScope::namespace_, "namespace"},
    {MetricScope::resource_type, "resource-type"},
    {MetricScope::alert_type, "alert-type"},
    {MetricScope::model, "model"},
    {MetricScope::resource, "resource"},
}};

constexpr NameTable<MetricPeriod, 4> period_names{{
    {MetricPeriod::hour, "1h"},
    {MetricPeriod::day, "24h"},
    {MetricPeriod::week, "7d"},
    {MetricPeriod::month, "30d"},
}};

}  // namespace

std::string_view to_string(MetricScope scope) noexcept { return name_of(scope_names, scope); }
std::string_view to_string(MetricPeriod period) noexcept { return name_of(period_names, period); }

MetricScope parse_metric_scope(std::string_view text, std::string_view field) {
  return value_of(scope_names, text, field);
}

MetricPeriod parse_metric_period(std::string_view text, std::string_view field) {
  return value_of(period_names, text, field);
}

std::string to_json(const EffectivenessMetric& metric) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("scope_type", to_string(metric.scope_type));
  put("scope_value", metric.scope_value);
  put("metric_period", to_string(metric.metric_period));
  put("period_start", metric.period_start);
  put("period_end", metric.period_end);
  put("action_type", metric.action_type);
  put("sample_size", metric.sample_size);
  put("average_score", metric.average_score);
  put("median_score", metric.median_score);
  put("std_deviation", metric.std_deviation);
  put("confidence_interval_lower", metric.confidence_interval_lower);
  put("confidence_interval_upper", metric.confidence_interval_upper);
  put("trend_direction", metric.trend_direction);
  put("trend_confidence", metric.trend_confidence);
  put("trend_slope", metric.trend_slope);
  put("min_sample_size_met", metric.min_sample_size_met);
  put("statistical_significance", metric.statistical_significance);
  put("adjusted_significance", metric.adjusted_significance);
  put("alarm", metric.alarm);
  return writer.end_object().take();
}

std::string to_json(const MetricRefresh& refresh) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("hours", refresh.hours);
  put("periods", refresh.periods);
  put("metrics", refresh.metrics);
  return writer.end_object().take();
}

MetricQuery parse_metric_query(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "metrics"), "metrics");
  MetricQuery query;
  std::string scope;
  reader("scope_type", scope);
  if (!scope.empty()) query.scope_type = parse_metric_scope(scope);
  reader("scope_value", query.scope_value);
  query.resource = read_resource(reader);
  std::string period;
  reader("metric_period", period);
  if (!period.empty()) query.metric_period = parse_metric_period(period);
  reader("action_type", query.action_type);
  reader("since", query.since);
  reader("until", query.until);
  reader("limit", query.limit);
  reader.expect_done();
  return query;
}

}  // namespace actionhist
