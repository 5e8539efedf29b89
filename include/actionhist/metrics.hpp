// How effective actions of each type were, by scope and period. Plain values.
// An association in what was recorded: harsher incidents get harsher actions.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/resource.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

enum class MetricScope { global, namespace_, resource_type, alert_type, model, resource };

// Periods begin at full hours, at midnight UTC, on Mondays, and every 30 days since 1970.
enum class MetricPeriod { hour, day, week, month };

std::string_view to_string(MetricScope scope) noexcept;    // "resource-type"
std::string_view to_string(MetricPeriod period) noexcept;  // "1h", "24h", "7d", "30d"
MetricScope parse_metric_scope(std::string_view text, std::string_view field = "scope_type");
MetricPeriod parse_metric_period(std::string_view text, std::string_view field = "metric_period");

// A row of action_effectiveness_metrics: the assessed actions of one type in one scope and period. Actions
// that nobody assessed are not in it.
struct EffectivenessMetric {
  MetricScope scope_type = MetricScope::global;
  std::string scope_value;  // empty for global, and for actions that do not say it
  MetricPeriod metric_period = MetricPeriod::day;
  TimePoint period_start{};
  TimePoint period_end{};
  std::string action_type;

  std::int64_t sample_size = 0;
  double average_score = 0;
  double median_score = 0;   // of more than 512 scores to the thousandth
  double std_deviation = 0;  // of the sample, n − 1
  // 95 %: Wilson's below 50 scores, Student's t from there on.
  double confidence_interval_lower = 0;
  double confidence_interval_upper = 1;

  // Mann–Kendall over the scores in order of time, and Sen's slope per step. Unknown below 8 steps; stable unless
  // p < .05. More than 128 scores are taken as the means of 128 groups of equal size; more than 512 of a day or a
  // week as those of their hours, of 30 days as those of the days.
  std::string trend_direction;             // improving, stable, declining, unknown
  std::optional<double> trend_confidence;  // 1 − p
  std::optional<double> trend_slope;

  bool min_sample_size_met = false;  // at least 5
  // p of Mann and Whitney's test against the same type, scope and period before; absent when either has
  // fewer than 5 scores. With more than 512 in either, scores are compared to the thousandth.
  std::optional<double> statistical_significance;
  // The same, adjusted over all rows of one report by Benjamini and Hochberg; different when at most .1.
  std::optional<double> adjusted_significance;
  // A CUSUM over successes (scores from .6 on) sees a fall of .2 below the rate of the period before. More than
  // 512 scores are added by these groups, hours or days.
  bool alarm = false;

  friend bool operator==(const EffectivenessMetric&, const EffectivenessMetric&) = default;
};

struct MetricQuery {
  std::optional<MetricScope> scope_type;  // all but single resources if absent and no resource is named
  std::string scope_value;                // any if empty
  Resource resource;                      // kind and name; implies MetricScope::resource, goes with no other
  std::optional<MetricPeriod> metric_period;
  std::string action_type;         // any if empty
  std::optional<TimePoint> since;  // periods that end after it
  std::optional<TimePoint> until;  // periods that begin before it
  int limit = 1000;                // 1 to 100,000
};

// What one refresh did.
struct MetricRefresh {
  std::int64_t hours = 0;    // with new or changed scores
  std::int64_t periods = 0;  // computed anew
  std::int64_t metrics = 0;  // rows written
};

std::string to_json(const EffectivenessMetric& metric);
std::string to_json(const MetricRefresh& refresh);
// {"scope_type": "namespace", "scope_value": "prod", "metric_period": "7d", "action_type": …, "since": …}
// Throws Error: invalid_argument, naming the field.
MetricQuery parse_metric_query(std::string_view json);

}  // namespace actionhist
