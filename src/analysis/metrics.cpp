#include "analysis/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "analysis/cusum.hpp"
#include "analysis/significance.hpp"
#include "analysis/statistics.hpp"
#include "analysis/trend.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t min_sample = 5;
constexpr std::size_t min_trend = 8;
constexpr double trend_level = .05;
constexpr std::size_t most_single = 512;  // scores whose pairs are compared one by one
constexpr std::size_t groups = 128;
constexpr double success = .6;
constexpr double fall = .2;
constexpr std::size_t min_usual = 20;  // scores that make a usual rate

using Scores = std::vector<double>;  // by time

struct Key {
  MetricScope scope;
  std::string_view value;
  std::string_view type;
  friend auto operator<=>(const Key&, const Key&) = default;
};

struct Samples {
  Scores now;
  Scores before;
};

std::vector<ScoreCount> counted(Scores scores) {
  std::ranges::sort(scores);
  std::vector<ScoreCount> counts;
  for (const double score : scores) {
    if (counts.empty() || counts.back().score != score) counts.push_back({score, 0});
    ++counts.back().count;
  }
  return counts;
}

// Means of `groups` runs of nearly equal length.
Scores grouped(const Scores& scores) {
  Scores means;
  for (std::size_t i = 0; i < groups; ++i) {
    const std::size_t first = scores.size() * i / groups;
    const std::size_t last = scores.size() * (i + 1) / groups;
    means.push_back(mean(std::span(scores).subspan(first, last - first)));
  }
  return means;
}

void add_trend(EffectivenessMetric& metric, const Scores& scores) {
  metric.trend_direction = "unknown";
  if (scores.size() < min_trend) return;
  const Trend trend = scores.size() > most_single ? mann_kendall(grouped(scores)) : mann_kendall(scores);
  metric.trend_confidence = 1 - trend.p;
  metric.trend_slope = trend.slope;
  const bool clear = trend.p < trend_level && trend.direction != 0;
  metric.trend_direction = !clear ? "stable" : trend.direction > 0 ? "improving" : "declining";
}

bool fell(const Samples& samples) {
  if (samples.before.size() < min_usual) return false;
  const auto rate = static_cast<double>(std::ranges::count_if(
                        samples.before, [](double score) { return score >= success; })) /
                    static_cast<double>(samples.before.size());
  Cusum cusum(rate, rate - fall);
  bool alarm = false;
  for (const double score : samples.now) alarm = cusum.add(score >= success, score < success);
  return alarm;
}

EffectivenessMetric describe(const Key& key, MetricPeriod period, TimePoint start, const Samples& samples) {
  EffectivenessMetric metric;
  metric.scope_type = key.scope;
  metric.scope_value = key.value;
  metric.metric_period = period;
  metric.period_start = start;
  metric.period_end = start + period_length(period);
  metric.action_type = key.type;
  const Scores& scores = samples.now;
  const auto n = static_cast<double>(scores.size());
  metric.sample_size = static_cast<std::int64_t>(scores.size());
  metric.average_score = mean(scores);
  metric.median_score = median(scores);
  metric.std_deviation = deviation(scores);
  const Interval interval = score_interval(metric.average_score, metric.std_deviation, n);
  metric.confidence_interval_lower = interval.lower;
  metric.confidence_interval_upper = interval.upper;
  metric.min_sample_size_met = scores.size() >= min_sample;
  add_trend(metric, scores);
  if (metric.min_sample_size_met && samples.before.size() >= min_sample) {
    metric.statistical_significance = mann_whitney(counted(scores), counted(samples.before));
  }
  metric.alarm = fell(samples);
  return metric;
}

using Table = std::map<Key, Samples>;

void add(Table& table, MetricScope scope, std::string_view value, const ScoredAction& scored, bool now) {
  Samples& samples = table[{scope, value, scored.action_type}];
  (now ? samples.now : samples.before).push_back(scored.score);
}

std::vector<EffectivenessMetric> described(const Table& table, MetricPeriod period, TimePoint start) {
  std::vector<EffectivenessMetric> metrics;
  for (const auto& [key, samples] : table) {
    if (!samples.now.empty()) metrics.push_back(describe(key, period, start, samples));
  }
  return metrics;
}

}  // namespace

std::chrono::hours period_length(MetricPeriod period) {
  switch (period) {
    case MetricPeriod::hour: return 1h;
    case MetricPeriod::day: return 24h;
    case MetricPeriod::week: return 24h * 7;
    default: return 24h * 30;
  }
}

TimePoint period_start(MetricPeriod period, TimePoint time) {
  // 1970 began on a Thursday; the Monday after it was the 5th.
  const auto offset = period == MetricPeriod::week ? std::chrono::hours(24 * 4) : 0h;
  const auto length = std::chrono::microseconds(period_length(period));
  const auto since = time.time_since_epoch() - offset;
  auto whole = since / length;
  if (since < 0us && since % length != 0us) --whole;
  return TimePoint(offset + whole * length);
}

std::vector<EffectivenessMetric> metrics_of(MetricPeriod period, TimePoint start,
                                            std::span<const ScoredAction> scores) {
  Table table;
  for (const ScoredAction& scored : scores) {
    const bool now = scored.time >= start;
    add(table, MetricScope::global, {}, scored, now);
    add(table, MetricScope::namespace_, scored.namespace_, scored, now);
    add(table, MetricScope::resource_type, scored.kind, scored, now);
    add(table, MetricScope::alert_type, scored.alert_name, scored, now);
    add(table, MetricScope::model, scored.model, scored, now);
  }
  return described(table, period, start);
}

std::vector<EffectivenessMetric> resource_metrics(MetricPeriod period, std::string_view resource_id,
                                                  std::span<const ScoredAction> scores) {
  std::vector<EffectivenessMetric> metrics;
  std::map<TimePoint, bool, std::greater<>> starts;
  for (const ScoredAction& scored : scores) starts[period_start(period, scored.time)] = true;
  for (const auto& [start, present] : starts) {
    Table table;
    for (const ScoredAction& scored : scores) {
      const bool now = scored.time >= start && scored.time < start + period_length(period);
      const bool before = scored.time < start && scored.time >= start - period_length(period);
      if (now || before) add(table, MetricScope::resource, resource_id, scored, now);
    }
    for (EffectivenessMetric& metric : described(table, period, start)) metrics.push_back(std::move(metric));
  }
  return metrics;
}

void adjust(std::vector<EffectivenessMetric>& report) {
  std::vector<double> p;
  for (const EffectivenessMetric& metric : report) {
    if (metric.statistical_significance) p.push_back(*metric.statistical_significance);
  }
  const std::vector<double> adjusted = benjamini_hochberg(p);
  auto next = adjusted.begin();
  for (EffectivenessMetric& metric : report) {
    if (metric.statistical_significance) metric.adjusted_significance = *next++;
  }
}

}  // namespace actionhist
