#include "postgres/metric_store.hpp"

#include <deque>

#include <fmt/format.h>

#include "postgres/reads.hpp"
#include "sql/metric_rows.hpp"

namespace actionhist::postgres {
namespace {

// Text is kept even when it is empty.
struct MetricBinder {
  Parameters& parameters;
  template <class Value>
  void operator()(std::string_view, const Value& value) {
    if constexpr (std::is_same_v<Value, std::string_view>) {
      parameters.add_text(value);
    } else {
      parameters.add(value);
    }
  }
};

// Rows of one statement: more would not fit into its parameters.
constexpr std::size_t rows_at_once = 1000;

}  // namespace

void PostgresMetricStore::mark_scored(std::span<const TimePoint> times) {
  std::vector<std::optional<TimePoint>> hours;
  for (const TimePoint time : times) {
    const TimePoint hour = std::chrono::floor<std::chrono::hours>(time);
    if (hours.empty() || hours.back() != hour) hours.emplace_back(hour);
  }
  Call call{
      "INSERT INTO scored_hours (tenant_id, hour) SELECT DISTINCT $1, hour FROM unnest($2::timestamptz[]) AS "
      "marked(hour)",
      Parameters(engine_.tenant(), std::span<const std::optional<TimePoint>>(hours))};
  if (engine_.in_transaction()) return engine_.put_off(std::move(call));
  engine_.run({std::move(call)});
}

void PostgresMetricStore::mark_all_scored() {
  engine_.run(
      "INSERT INTO scored_hours (tenant_id, hour) SELECT $1, date_trunc('hour', action_timestamp, 'UTC') "
      "FROM resource_action_traces WHERE tenant_id = $1 AND effectiveness_score IS NOT NULL UNION SELECT $1, "
      "period_start FROM action_effectiveness_metrics WHERE tenant_id = $1 AND metric_period = '1h'",
      Parameters(engine_.tenant()));
}

std::vector<ScoredHour> PostgresMetricStore::scored_hours(int limit) {
  const Result result = engine_.run(
      "SELECT hour, version FROM scored_hours WHERE tenant_id = $1 AND hour IN (SELECT DISTINCT hour FROM scored_hours "
      "WHERE tenant_id = $1 ORDER BY hour LIMIT $2) ORDER BY hour, version",
      Parameters(engine_.tenant(), limit));
  return read_rows(result, sql::read_scored_hour<Reader>);
}

void PostgresMetricStore::forget(std::span<const ScoredHour> hours) {
  std::vector<std::optional<TimePoint>> times;
  std::vector<std::optional<std::int64_t>> versions;
  for (const ScoredHour& hour : hours) {
    times.emplace_back(hour.hour);
    versions.emplace_back(hour.version);
  }
  // Just what was seen: a version is drawn before its commit, so a smaller one may still appear.
  engine_.run(
      "DELETE FROM scored_hours s USING unnest($2::timestamptz[], $3::int8[]) AS done(hour, version) "
      "WHERE s.tenant_id = $1 AND s.hour = done.hour AND s.version = done.version",
      Parameters(engine_.tenant(), std::span<const std::optional<TimePoint>>(times),
                 std::span<const std::optional<std::int64_t>>(versions)));
}

std::vector<ScoredAction> PostgresMetricStore::scores(TimePoint since, TimePoint until) {
  const Result result = engine_.run(
      "SELECT action_timestamp, action_type, namespace, kind, alert_name, model_used, effectiveness_score "
      "FROM resource_action_traces WHERE tenant_id = $1 AND action_timestamp >= $2 AND action_timestamp < $3 "
      "AND effectiveness_score IS NOT NULL ORDER BY action_timestamp, action_id",
      Parameters(engine_.tenant(), since, until), Plan::once);
  return read_rows(result, sql::read_scored_action<Reader>);
}

void PostgresMetricStore::replace(MetricPeriod period, TimePoint start, std::span<const KeptMetric> metrics) {
  std::vector<Call> calls;
  std::deque<std::string> texts;  // calls only refer to theirs
  calls.push_back(
      {"DELETE FROM action_effectiveness_metrics WHERE tenant_id = $1 AND metric_period = $2 AND period_start = $3",
       Parameters(engine_.tenant(), to_string(period), start), Plan::kept});
  for (; !metrics.empty(); metrics = metrics.subspan(std::min(rows_at_once, metrics.size()))) {
    std::string& text = texts.emplace_back(fmt::format(
        "INSERT INTO action_effectiveness_metrics (tenant_id, {}, summary) VALUES ", sql::metric_columns()));
    Parameters parameters(engine_.tenant());
    int count = 1;
    for (const KeptMetric& kept : metrics.first(std::min(rows_at_once, metrics.size()))) {
      text += count == 1 ? "($1" : ", ($1";
      sql::visit_metric(kept.metric, [&](std::string_view name, const auto& value) {
        text += fmt::format(", ${}", ++count);
        MetricBinder{parameters}(name, value);
      });
      text += fmt::format(", ${})", ++count);
      parameters.add_bytes(std::as_bytes(std::span(kept.summary)));
    }
    calls.push_back({text, std::move(parameters), Plan::once});
  }
  engine_.run(std::move(calls));
}

std::vector<KeptMetric> PostgresMetricStore::kept(MetricPeriod period, TimePoint start) {
  const Result result = engine_.run(
      "SELECT scope_type, scope_value, action_type, summary FROM action_effectiveness_metrics WHERE tenant_id = $1 "
      "AND metric_period = $2 AND period_start = $3",
      Parameters(engine_.tenant(), to_string(period), start));
  return read_rows(result, sql::read_kept<Reader>);
}

std::vector<EffectivenessMetric> PostgresMetricStore::metrics(const MetricQuery& wanted) {
  std::string text =
      "SELECT " + sql::metric_columns() + " FROM action_effectiveness_metrics WHERE tenant_id = $1";
  Parameters parameters(engine_.tenant());
  int count = 1;
  const auto where = [&](std::string_view condition, const auto& value) {
    text += fmt::format(" AND {} ${}", condition, ++count);
    parameters.add(value);
  };
  if (wanted.metric_period) where("metric_period =", to_string(*wanted.metric_period));
  if (wanted.scope_type) where("scope_type =", to_string(*wanted.scope_type));
  if (!wanted.scope_value.empty()) where("scope_value =", wanted.scope_value);
  if (!wanted.action_type.empty()) where("action_type =", wanted.action_type);
  if (wanted.since) where("period_end >", *wanted.since);
  if (wanted.until) where("period_start <", *wanted.until);
  text += fmt::format(
      " ORDER BY period_start DESC, period_end DESC, scope_type, scope_value, action_type LIMIT ${}",
      ++count);
  parameters.add(static_cast<std::int64_t>(wanted.limit));
  const Result result = engine_.run(text, std::move(parameters), Plan::once);
  return read_rows(result, sql::read_metric<Reader>);
}

}  // namespace actionhist::postgres
