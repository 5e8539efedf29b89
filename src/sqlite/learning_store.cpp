#include "sqlite/learning_store.hpp"

#include <fmt/format.h>

#include "sql/learning_rows.hpp"
#include "sql/pattern_rows.hpp"
#include "sql/trace_columns.hpp"
#include "sqlite/condition.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {

std::vector<Tally> SqliteLearningStore::tally(const TallyQuery& wanted) {
  const sql::Condition condition = sql::condition(wanted.where);
  // The newest rows by time first, so that the cost has a limit whatever the filter is. Scores are summed in
  // whole billionths, so that the sum does not depend on the order of the rows.
  const std::string text =
      "SELECT action_type, ifnull(alert_name = ?, 0), ifnull(namespace = ?, 0), ifnull(resource_id = ?, 0), "
      "count(*), count(success), ifnull(sum(CAST(success * 1e9 + 0.5 AS INTEGER)), 0) / 1e9 FROM (SELECT action_type, alert_name, namespace, resource_id, "
      "CASE WHEN effectiveness_score IS NOT NULL THEN effectiveness_score "
      "WHEN execution_status = 'failed' THEN 0.0 END AS success FROM (SELECT * FROM resource_action_traces "
      "WHERE tenant_id = ? ORDER BY action_timestamp DESC, action_id DESC LIMIT ?) "
      "WHERE effect = 'mutating' AND " +
      condition.text + ") GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    // Empty text is bound as NULL, and nothing equals that.
    query.bind_all(wanted.alert_name, wanted.namespace_, wanted.resource_id, engine_.tenant(), wanted.newest);
    bind(query, condition);
    return read_rows(query, sql::read_tally<Query>);
  });
}

void SqliteLearningStore::put(const OverrideRecord& record) {
  const std::string detections = sql::write_list(record.detection_ids);
  engine_.write([&](Connection& connection) {
    Query(connection,
          "INSERT INTO guard_overrides (tenant_id, override_id, action_id, actor, reason, overridden_at, "
          "detection_ids) VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind_all(engine_.tenant(), record.override_id, record.action_id, record.actor, record.reason,
                  record.overridden_at, detections)
        .run();
  });
}

std::vector<OverrideRecord> SqliteLearningStore::overrides(TimePoint since, TimePoint until, int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(connection,
                "SELECT override_id, action_id, actor, reason, overridden_at, detection_ids "
                "FROM guard_overrides WHERE tenant_id = ? AND overridden_at >= ? AND overridden_at < ? "
                "ORDER BY overridden_at DESC, override_id DESC LIMIT ?");
    query.bind_all(engine_.tenant(), since, until, limit);
    return read_rows(query, sql::read_override<Query>);
  });
}

GuardPolicy SqliteLearningStore::guard_policy(std::string_view resource_id) {
  return engine_.read([&](Connection& connection) {
    Query query(connection,
                "SELECT oscillation_window_minutes, effectiveness_threshold, pattern_min_occurrences "
                "FROM action_histories WHERE tenant_id = ? AND resource_id = ?");
    query.bind_all(engine_.tenant(), resource_id);
    return query.step() ? sql::read_guard_policy(query) : GuardPolicy{};
  });
}

void SqliteLearningStore::set_guard_policy(std::string_view resource_id, const GuardPolicy& policy,
                                           TimePoint now) {
  std::optional<std::int64_t> window;
  if (policy.window) window = policy.window->count();
  engine_.write([&](Connection& connection) {
    Query(connection,
          "INSERT INTO action_histories (tenant_id, resource_id, oscillation_window_minutes, "
          "effectiveness_threshold, pattern_min_occurrences, created_at, updated_at) "
          "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) ON CONFLICT DO UPDATE SET "
          "oscillation_window_minutes = excluded.oscillation_window_minutes, "
          "effectiveness_threshold = excluded.effectiveness_threshold, "
          "pattern_min_occurrences = excluded.pattern_min_occurrences, updated_at = excluded.updated_at")
        .bind_all(engine_.tenant(), resource_id, window, policy.effectiveness_threshold,
                  policy.min_occurrences, now)
        .run();
  });
}

std::vector<Detection> SqliteLearningStore::unsettled(TimePoint until, TimePoint judged, int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        // The second line is the condition of an index.
        fmt::format(
            "SELECT {} FROM oscillation_detections WHERE tenant_id = ? AND detected_at < ? AND "
            "(resolved_at IS NULL OR (prevention_successful IS NULL AND prevention_action IS NOT NULL AND shadow = 0)) AND "
            "(resolved_at IS NULL OR (detected_at < ? AND overrides = 0 AND refusals > 0)) "
            "ORDER BY detected_at, scope, pattern_id, detection_id LIMIT ?",
            sql::detection_columns()));
    query.bind_all(engine_.tenant(), until, judged, limit);
    return read_rows(query, sql::read_detection<Query>);
  });
}

void SqliteLearningStore::refresh_pattern_rates() {
  engine_.write([&](Connection& connection) {
    Query(connection,
          "UPDATE oscillation_patterns AS p SET (prevention_success_rate, false_positive_rate) = (SELECT "
          "avg(d.prevention_successful), avg(CASE WHEN d.resolved_at IS NOT NULL THEN d.false_positive END) "
          "FROM oscillation_detections d WHERE d.tenant_id = p.tenant_id AND d.pattern_id = p.pattern_id) "
          "WHERE p.tenant_id = ?")
        .bind(engine_.tenant())
        .run();
  });
}

std::vector<Trace> SqliteLearningStore::lease_assessments(std::string_view worker, TimePoint now,
                                                          TimePoint until, int limit) {
  static const std::string text =
      "SELECT " + sql::trace_columns() +
      " FROM resource_action_traces WHERE tenant_id = ?1 AND effectiveness_due_at <= ?2 AND "
      "effectiveness_due_at IS NOT NULL AND effectiveness_score IS NULL AND "
      "execution_status NOT IN ('pending', 'executing') AND NOT EXISTS (SELECT 1 FROM "
      "assessment_leases l WHERE l.tenant_id = ?1 AND l.action_id = resource_action_traces.action_id AND "
      "l.expires_at > ?2) ORDER BY effectiveness_due_at, action_id LIMIT ?3";
  return engine_.write([&](Connection& connection) {
    // Leases that ended, or whose action was assessed, are nobody's.
    Query(connection, "DELETE FROM assessment_leases WHERE tenant_id = ? AND expires_at <= ?")
        .bind_all(engine_.tenant(), now)
        .run();
    Query query(connection, text);
    query.bind_all(engine_.tenant(), now, limit);
    const std::vector<Trace> due = read_traces(query);
    Query lease(
        connection,
        "INSERT INTO assessment_leases (tenant_id, action_id, worker, expires_at) VALUES (?, ?, ?, ?)");
    for (const Trace& trace : due) {
      lease.reset();
      lease.bind_all(engine_.tenant(), trace.action_id, worker, until).run();
    }
    return due;
  });
}

bool SqliteLearningStore::lease(Duty duty, std::string_view worker, TimePoint now, TimePoint until) {
  return engine_.write([&](Connection& connection) {
    return Query(
               connection,
               "INSERT INTO upkeep_leases (tenant_id, duty, worker, expires_at) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
               "SET worker = excluded.worker, expires_at = excluded.expires_at "
               "WHERE worker = excluded.worker OR expires_at <= ? OR expires_at > ?")
               .bind_all(engine_.tenant(), to_string(duty), worker, until, now, now + longest_lease(duty))
               .run() > 0;
  });
}

std::vector<DueAnalysis> SqliteLearningStore::lease_analyses(TimePoint now, TimePoint until, TimePoint active,
                                                             int limit) {
  return engine_.write([&](Connection& connection) {
    Query query(connection,
                "SELECT resource_id, updated_at FROM action_histories WHERE tenant_id = ?1 AND "
                "last_action_at >= ?2 AND updated_at IS NOT last_analysis_at AND "
                "ifnull(next_analysis_at, 0) <= ?3 ORDER BY updated_at, resource_id LIMIT ?4");
    query.bind_all(engine_.tenant(), active, now, limit);
    const auto due = read_rows(query, sql::read_due_analysis<Query>);
    Query lease(connection,
                "UPDATE action_histories SET next_analysis_at = ? WHERE tenant_id = ? AND resource_id = ?");
    for (const DueAnalysis& each : due) {
      lease.reset();
      lease.bind_all(until, engine_.tenant(), each.resource_id).run();
    }
    return due;
  });
}

void SqliteLearningStore::analysed(const DueAnalysis& done, TimePoint next) {
  engine_.write([&](Connection& connection) {
    Query(connection,
          "UPDATE action_histories SET last_analysis_at = ?, next_analysis_at = ? WHERE tenant_id = ? AND "
          "resource_id = ?")
        .bind_all(done.changed_at, next, engine_.tenant(), done.resource_id)
        .run();
  });
}

}  // namespace actionhist::sqlite
