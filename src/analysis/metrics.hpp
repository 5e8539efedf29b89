// Effectiveness metrics from scores. Pure functions; any thread.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include <actionhist/metric_store.hpp>
#include <actionhist/metrics.hpp>

#include "analysis/score_summary.hpp"

namespace actionhist {

// When the period that holds `time` begins.
TimePoint period_start(MetricPeriod period, TimePoint time);
std::chrono::hours period_length(MetricPeriod period);

// The scores of one period, without those of single resources.
struct MetricKey {
  MetricScope scope_type = MetricScope::global;
  std::string scope_value;
  std::string action_type;

  friend auto operator<=>(const MetricKey&, const MetricKey&) = default;
};
using MetricTable = std::map<MetricKey, ScoreSummary>;

// Of an hour. `scores` are by time.
MetricTable table_of(std::span<const ScoredAction> scores);
// Of a longer period, from those of its hours or days in order of time.
MetricTable join(MetricPeriod period, std::span<const MetricTable* const> parts);

// By scope, value and type; `before` is the period before.
std::vector<KeptMetric> metrics_of(MetricPeriod period, TimePoint start, const MetricTable& now,
                                   const MetricTable& before);

// Those of each period that the scores of one resource fall into, newest first.
std::vector<EffectivenessMetric> resource_metrics(MetricPeriod period, std::string_view resource_id,
                                                  std::span<const ScoredAction> scores);

// Sets adjusted_significance over all of them.
void adjust(std::vector<EffectivenessMetric>& report);

}  // namespace actionhist
