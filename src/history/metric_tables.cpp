#include "history/metric_tables.hpp"

#include <optional>
#include <vector>

namespace actionhist {
namespace {

// As the store keeps it; nothing if some of it was stored by a version that kept no summaries.
std::optional<MetricTable> read(std::vector<KeptMetric> rows) {
  MetricTable table;
  for (KeptMetric& row : rows) {
    std::optional<ScoreSummary> summary = ScoreSummary::decode(row.summary);
    if (!summary) return std::nullopt;
    EffectivenessMetric& metric = row.metric;
    table.emplace(MetricKey{metric.scope_type, std::move(metric.scope_value), std::move(metric.action_type)},
                  std::move(*summary));
  }
  return table;
}

}  // namespace

const MetricTable& MetricTables::of(MetricPeriod period, TimePoint start) {
  const auto known = tables_.find({period, start});
  if (known != tables_.end()) return known->second;
  std::optional<MetricTable> stored = read(store_.kept(period, start));
  return stored ? keep(period, start, std::move(*stored)) : make(period, start);
}

const MetricTable& MetricTables::make(MetricPeriod period, TimePoint start) {
  if (period != MetricPeriod::hour) return keep(period, start, joined(period, start));
  return keep(period, start, table_of(store_.scores(start, start + period_length(period))));
}

MetricTable MetricTables::joined(MetricPeriod period, TimePoint start) {
  const MetricPeriod part = period == MetricPeriod::day ? MetricPeriod::hour : MetricPeriod::day;
  std::vector<const MetricTable*> parts;
  for (TimePoint at = start; at < start + period_length(period); at += period_length(part))
    parts.push_back(&of(part, at));
  return join(period, parts);
}

const MetricTable& MetricTables::keep(MetricPeriod period, TimePoint start, MetricTable table) {
  // Nobody asks for what is older than the period before: a day's hours, a month's days.
  const auto enough =
      period == MetricPeriod::hour ? period_length(MetricPeriod::day) : period_length(MetricPeriod::month);
  const auto old = tables_.lower_bound({period, start - enough - period_length(period)});
  tables_.erase(tables_.lower_bound({period, TimePoint::min()}), old);
  return tables_.insert_or_assign({period, start}, std::move(table)).first->second;
}

}  // namespace actionhist
