#include "sqlite/metric_store.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "sql/metric_rows.hpp"
#include "sql/placeholders.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {
namespace {

constexpr std::int64_t hour_us = 3'600'000'000;

std::int64_t hour_of(TimePoint time) { return time.time_since_epoch().count() / hour_us * hour_us; }

// Binds a row behind the tenant; text is kept even when it is empty.
struct MetricBinder {
  Query& query;
  template <class Value>
  void operator()(std::string_view, const Value& value) {
    if constexpr (std::is_same_v<Value, std::string_view>) {
      query.bind_text(value);
    } else {
      query.bind(value);
    }
  }
};

// Stores a row unless it is there already: most of those that are computed anew say what they said.
std::string put_metric() {
  std::string names;
  std::string assigned;
  std::string given;
  const auto add = [&](std::string_view name) {
    constexpr std::array<std::string_view, 5> key{"scope_type", "scope_value", "metric_period",
                                                  "period_start", "action_type"};
    if (std::ranges::find(key, name) != key.end()) return;
    const std::string_view comma = names.empty() ? "" : ", ";
    names += fmt::format("{}{}", comma, name);
    given += fmt::format("{}excluded.{}", comma, name);
    assigned += fmt::format("{}{} = excluded.{}", comma, name, name);
  };
  sql::visit_metric({}, [&](std::string_view name, const auto&) { add(name); });
  add("summary");
  return fmt::format("{} ON CONFLICT DO UPDATE SET {} WHERE ({}) IS NOT ({})",
                     sql::insert_into("action_effectiveness_metrics", sql::metric_columns() + ", summary",
                                      sql::Dialect::sqlite),
                     assigned, names, given);
}

}  // namespace

void SqliteMetricStore::mark_scored(std::span<const TimePoint> times) {
  engine_.write([&](Connection& connection) {
    Query query(connection,
                "INSERT INTO scored_hours (tenant_id, hour, version) VALUES (?, ?, 1) "
                "ON CONFLICT DO UPDATE SET version = version + 1");
    for (const TimePoint time : times) {
      query.reset();
      query.bind_all(engine_.tenant(), hour_of(time)).run();
    }
  });
}

void SqliteMetricStore::mark_all_scored() {
  engine_.write([&](Connection& connection) {
    // Also the hours of metrics whose actions are gone.
    Query(
        connection,
        "INSERT INTO scored_hours (tenant_id, hour, version) SELECT ?1, hour, 1 FROM (SELECT "
        "action_timestamp / 3600000000 * 3600000000 AS hour FROM resource_action_traces WHERE tenant_id = ?1 "
        "AND effectiveness_score IS NOT NULL UNION SELECT period_start FROM action_effectiveness_metrics WHERE "
        "tenant_id = ?1 AND metric_period = '1h') WHERE true ON CONFLICT DO UPDATE SET version = version + 1")
        .bind(engine_.tenant())
        .run();
  });
}

std::vector<ScoredHour> SqliteMetricStore::scored_hours(int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(connection,
                "SELECT hour, version FROM scored_hours WHERE tenant_id = ? ORDER BY hour LIMIT ?");
    query.bind_all(engine_.tenant(), limit);
    return read_rows(query, sql::read_scored_hour<Query>);
  });
}

void SqliteMetricStore::forget(std::span<const ScoredHour> hours) {
  engine_.write([&](Connection& connection) {
    Query query(connection, "DELETE FROM scored_hours WHERE tenant_id = ? AND hour = ? AND version = ?");
    for (const ScoredHour& hour : hours) {
      query.reset();
      query.bind_all(engine_.tenant(), hour.hour, hour.version).run();
    }
  });
}

std::vector<ScoredAction> SqliteMetricStore::scores(TimePoint since, TimePoint until) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT action_timestamp, action_type, namespace, kind, alert_name, model_used, "
        "effectiveness_score FROM resource_action_traces WHERE tenant_id = ? AND action_timestamp >= ? "
        "AND action_timestamp < ? AND effectiveness_score IS NOT NULL "
        "ORDER BY action_timestamp, action_id");
    query.bind_all(engine_.tenant(), since, until);
    return read_rows(query, sql::read_scored_action<Query>);
  });
}

void SqliteMetricStore::replace(MetricPeriod period, TimePoint start, std::span<const KeptMetric> metrics) {
  constexpr std::string_view of_period =
      "FROM action_effectiveness_metrics WHERE tenant_id = ? AND metric_period = ? AND period_start = ?";
  static const std::string put_row = put_metric();
  static const std::string count_rows = fmt::format("SELECT count(*) {}", of_period);
  static const std::string delete_rows = fmt::format("DELETE {}", of_period);
  engine_.write([&](Connection& connection) {
    const auto put_all = [&] {
      Query query(connection, put_row);
      for (const KeptMetric& kept : metrics) {
        query.reset();
        query.bind(engine_.tenant());
        sql::visit_metric(kept.metric, MetricBinder{query});
        query.bind_blob(kept.summary.data(), kept.summary.size()).run();
      }
    };
    put_all();
    Query count(connection, count_rows);
    count.bind_all(engine_.tenant(), to_string(period), start).step();
    if (count.get<std::int64_t>() == static_cast<std::int64_t>(metrics.size())) return;
    // Some that were there are no more, which is rare.
    Query(connection, delete_rows).bind_all(engine_.tenant(), to_string(period), start).run();
    put_all();
  });
}

std::vector<KeptMetric> SqliteMetricStore::kept(MetricPeriod period, TimePoint start) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT scope_type, scope_value, action_type, summary FROM action_effectiveness_metrics WHERE "
        "tenant_id = ? AND metric_period = ? AND period_start = ?");
    query.bind_all(engine_.tenant(), to_string(period), start);
    return read_rows(query, sql::read_kept<Query>);
  });
}

std::vector<EffectivenessMetric> SqliteMetricStore::metrics(const MetricQuery& wanted) {
  std::string text =
      "SELECT " + sql::metric_columns() + " FROM action_effectiveness_metrics WHERE tenant_id = ?";
  if (wanted.metric_period) text += " AND metric_period = ?";
  if (wanted.scope_type) text += " AND scope_type = ?";
  if (!wanted.scope_value.empty()) text += " AND scope_value = ?";
  if (!wanted.action_type.empty()) text += " AND action_type = ?";
  if (wanted.since) text += " AND period_end > ?";
  if (wanted.until) text += " AND period_start < ?";
  text += " ORDER BY period_start DESC, period_end DESC, scope_type, scope_value, action_type LIMIT ?";
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    query.bind(engine_.tenant());
    if (wanted.metric_period) query.bind(to_string(*wanted.metric_period));
    if (wanted.scope_type) query.bind(to_string(*wanted.scope_type));
    if (!wanted.scope_value.empty()) query.bind(wanted.scope_value);
    if (!wanted.action_type.empty()) query.bind(wanted.action_type);
    if (wanted.since) query.bind(*wanted.since);
    if (wanted.until) query.bind(*wanted.until);
    query.bind(wanted.limit);
    return read_rows(query, sql::read_metric<Query>);
  });
}

}  // namespace actionhist::sqlite
