// Effectiveness metrics from scores. Pure functions; any thread.
#pragma once

#include <span>
#include <vector>

#include <actionhist/learning_store.hpp>
#include <actionhist/metrics.hpp>

namespace actionhist {

// When the period that holds `time` begins.
TimePoint period_start(MetricPeriod period, TimePoint time);
std::chrono::hours period_length(MetricPeriod period);

// The metrics of one period, by scope, value and type; without those of single resources. `scores` are those
// of the period and of the one before it, by time.
std::vector<EffectivenessMetric> metrics_of(MetricPeriod period, TimePoint start,
                                            std::span<const ScoredAction> scores);

// Those of each period that the scores of one resource fall into, newest first.
std::vector<EffectivenessMetric> resource_metrics(MetricPeriod period, std::string_view resource_id,
                                                  std::span<const ScoredAction> scores);

// Sets adjusted_significance over all of them.
void adjust(std::vector<EffectivenessMetric>& report);

}  // namespace actionhist
