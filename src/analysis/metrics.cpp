#include "analysis/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <unordered_map>

#include "analysis/cusum.hpp"
#include "analysis/significance.hpp"
#include "analysis/statistics.hpp"
#include "analysis/trend.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t min_sample = 5;
constexpr std::size_t min_trend = 8;
constexpr double trend_level = .05;
constexpr double fall = .2;
constexpr std::int64_t min_usual = 20;  // scores that make a usual rate

void add_trend(EffectivenessMetric& metric, const ScoreSummary& summary) {
  metric.trend_direction = "unknown";
  const std::vector<double> steps = summary.steps();
  if (steps.size() < min_trend) return;
  const Trend trend = mann_kendall(steps);
  metric.trend_confidence = 1 - trend.p;
  metric.trend_slope = trend.slope;
  const bool clear = trend.p < trend_level && trend.direction != 0;
  metric.trend_direction = !clear ? "stable" : trend.direction > 0 ? "improving" : "declining";
}

bool fell(const ScoreSummary& now, const ScoreSummary& before) {
  if (before.count() < min_usual) return false;
  const double rate = static_cast<double>(before.successes()) / static_cast<double>(before.count());
  Cusum cusum(rate, rate - fall);
  if (now.single()) {
    for (const double score : now.scores())
      cusum.add(score >= ScoreSummary::success, score < ScoreSummary::success);
  } else {
    for (const ScoreSummary::Run& run : now.runs()) cusum.add(run.successes, run.count - run.successes);
  }
  return cusum.alarm();
}

double compare(const ScoreSummary& now, const ScoreSummary& before) {
  const bool exact = now.single() && before.single();
  return mann_whitney(now.counts(exact), before.counts(exact));
}

// `before` is null without scores in the period before.
EffectivenessMetric describe(const MetricKey& key, MetricPeriod period, TimePoint start,
                             const ScoreSummary& now, const ScoreSummary* before) {
  EffectivenessMetric metric;
  metric.scope_type = key.scope_type;
  metric.scope_value = key.scope_value;
  metric.metric_period = period;
  metric.period_start = start;
  metric.period_end = start + period_length(period);
  metric.action_type = key.action_type;
  metric.sample_size = now.count();
  metric.average_score = now.mean();
  metric.median_score = now.median();
  metric.std_deviation = now.deviation();
  const Interval interval =
      score_interval(metric.average_score, metric.std_deviation, static_cast<double>(now.count()));
  metric.confidence_interval_lower = interval.lower;
  metric.confidence_interval_upper = interval.upper;
  metric.min_sample_size_met = now.count() >= min_sample;
  add_trend(metric, now);
  if (before == nullptr) return metric;
  if (metric.min_sample_size_met && before->count() >= min_sample)
    metric.statistical_significance = compare(now, *before);
  metric.alarm = fell(now, *before);
  return metric;
}

const ScoreSummary* find(const MetricTable& table, const MetricKey& key) {
  const auto found = table.find(key);
  return found == table.end() ? nullptr : &found->second;
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

MetricTable table_of(std::span<const ScoredAction> scores) {
  // An action falls into five scopes, and is looked up in hashes of the few names that an hour has.
  using Lists = std::unordered_map<std::string_view, std::vector<double>>;
  std::unordered_map<std::string_view, std::array<Lists, 5>> types;
  for (const ScoredAction& scored : scores) {
    auto& scopes = types[scored.action_type];
    const auto add = [&](MetricScope scope, std::string_view value) {
      scopes[static_cast<std::size_t>(scope)][value].push_back(scored.score);
    };
    add(MetricScope::global, {});
    add(MetricScope::namespace_, scored.namespace_);
    add(MetricScope::resource_type, scored.kind);
    add(MetricScope::alert_type, scored.alert_name);
    add(MetricScope::model, scored.model);
  }
  MetricTable table;
  for (auto& [type, scopes] : types) {
    for (std::size_t scope = 0; scope < scopes.size(); ++scope) {
      for (auto& [value, list] : scopes[scope]) {
        table.emplace(MetricKey{static_cast<MetricScope>(scope), std::string(value), std::string(type)},
                      ScoreSummary(std::move(list)));
      }
    }
  }
  return table;
}

MetricTable join(MetricPeriod period, std::span<const MetricTable* const> parts) {
  std::map<MetricKey, std::vector<const ScoreSummary*>> summaries;
  for (const MetricTable* part : parts) {
    for (const auto& [key, summary] : *part) summaries[key].push_back(&summary);
  }
  // Seven days would say little of a trend; a week has its hours.
  const bool as_one = period != MetricPeriod::week;
  MetricTable table;
  for (const auto& [key, list] : summaries)
    table.emplace_hint(table.end(), key, ScoreSummary::join(list, as_one));
  return table;
}

std::vector<KeptMetric> metrics_of(MetricPeriod period, TimePoint start, const MetricTable& now,
                                   const MetricTable& before) {
  std::vector<KeptMetric> metrics;
  for (const auto& [key, summary] : now)
    metrics.push_back({describe(key, period, start, summary, find(before, key)), summary.encoded()});
  return metrics;
}

std::vector<EffectivenessMetric> resource_metrics(MetricPeriod period, std::string_view resource_id,
                                                  std::span<const ScoredAction> scores) {
  std::map<TimePoint, std::map<std::string_view, std::vector<double>>, std::greater<>> periods;
  for (const ScoredAction& scored : scores)
    periods[period_start(period, scored.time)][scored.action_type].push_back(scored.score);
  std::map<TimePoint, MetricTable, std::greater<>> tables;
  for (auto& [start, types] : periods) {
    for (auto& [type, list] : types) {
      tables[start].emplace(MetricKey{MetricScope::resource, std::string(resource_id), std::string(type)},
                            ScoreSummary(std::move(list)));
    }
  }
  std::vector<EffectivenessMetric> metrics;
  for (const auto& [start, table] : tables) {
    const auto before = tables.find(start - period_length(period));
    for (const auto& [key, summary] : table) {
      metrics.push_back(describe(key, period, start, summary,
                                 before == tables.end() ? nullptr : find(before->second, key)));
    }
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
