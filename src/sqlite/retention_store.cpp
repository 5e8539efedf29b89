#include "sqlite/retention_store.hpp"

#include <fmt/format.h>

#include "core/json_io.hpp"
#include "sql/placeholders.hpp"
#include "sql/retention_columns.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/text_index.hpp"

namespace actionhist::sqlite {
namespace {

void bind_policy(Query& query, const sql::PolicyRow& row) {
  sql::visit_policy(row, [&](std::string_view, const auto& member) { query.bind(member); });
}

// Binds like "= ?" on the index of a resource; actions without one are found by NULL, which binds nothing.
std::string of_group(std::string_view resource_id) {
  return resource_id.empty() ? "resource_id IS NULL AND ?2 IS NULL" : "resource_id = ?2";
}

RetentionGroup read_group(Connection& connection, const std::string& tenant, std::string_view resource_id) {
  RetentionGroup group;
  group.resource_id = resource_id;
  if (resource_id.empty()) {
    Query query(connection,
                "SELECT count(*) FROM resource_action_traces WHERE tenant_id = ? AND resource_id IS NULL");
    query.bind(tenant).step();
    query.read(group.total);
    return group;
  }
  Query query(connection, sql::select_groups() + "? AND h.resource_id = ?");
  return query.bind_all(tenant, resource_id).step() ? sql::read_group(query) : group;
}

// A JSON array of their ids, as json_each() reads it.
std::string id_list(std::span<const ExpiringAction> actions) {
  JsonWriter writer;
  writer.begin_array();
  for (const ExpiringAction& action : actions) writer.value(action.action_id);
  return writer.end_array().take();
}

std::vector<RetentionCandidate> read_candidates(Connection& connection, const std::string& tenant,
                                                std::string_view resource_id,
                                                const RetentionQuestion& question) {
  Query query(
      connection,
      fmt::format("SELECT action_id, action_timestamp, execution_status, effectiveness_score, owner IS NOT "
                  "NULL AND {} FROM resource_action_traces AS t WHERE tenant_id = ?1 AND {} AND "
                  "action_timestamp < ?3 ORDER BY action_timestamp, action_id LIMIT ?4",
                  sql::held_by_name("t"), of_group(resource_id)));
  query.bind_all(tenant, resource_id, question.before, std::int64_t{question.limit} + 1);
  return read_rows(query, sql::read_candidate<Query>);
}

std::vector<std::string> read_best(Connection& connection, const std::string& tenant,
                                   std::string_view resource_id, int count) {
  Query query(connection,
              fmt::format("SELECT action_id FROM resource_action_traces WHERE tenant_id = ?1 AND {} AND "
                          "effectiveness_score IS NOT NULL ORDER BY effectiveness_score DESC, "
                          "action_timestamp DESC, action_id DESC LIMIT ?3",
                          of_group(resource_id)));
  query.bind_all(tenant, resource_id, count);
  return read_rows(query, [](Query& row) { return row.get<std::string>(); });
}

std::vector<std::string> read_cited(Connection& connection, const std::string& tenant,
                                    std::string_view resource_id, const RetentionQuestion& question) {
  // A detection of a resource is found by its scope; one of a correlation or a session names the resources.
  Query query(connection,
              "SELECT value FROM (SELECT matching_actions, in_force_until, resolved_at, row_number() OVER "
              "(PARTITION BY pattern_id ORDER BY detected_at DESC, detection_id DESC) AS newest FROM "
              "oscillation_detections WHERE tenant_id = ?1 AND (scope = ?2 OR "
              "(scope >= 'correlation:' AND scope < 'correlation;' AND instr(resources, ?3) > 0) OR "
              "(scope >= 'session:' AND scope < 'session;' AND instr(resources, ?3) > 0))), "
              "json_each(matching_actions) "
              "WHERE newest <= ?4 OR (in_force_until > ?5 AND resolved_at IS NULL)");
  const std::string scope = fmt::format("resource:{}", resource_id);
  const std::string named = resource_id.empty() ? "[]" : fmt::format("\"{}\"", resource_id);
  query.bind_all(tenant, scope, named, question.examples, question.now);
  return read_rows(query, [](Query& row) { return row.get<std::string>(); });
}

// The chosen traces of a removal; each statement binds tenant, resource and ids as ?1, ?2 and ?3.
constexpr std::string_view chosen =
    "FROM resource_action_traces WHERE tenant_id = ?1 AND resource_id IS ?2 AND action_id IN (SELECT value "
    "FROM json_each(?3))";

std::string enqueue_chosen() {
  return fmt::format(
      "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) SELECT tenant_id, "
      "action_id, 1, ?4 {} ON CONFLICT DO UPDATE SET version = version + 1, attempts = 0, last_error = NULL",
      chosen);
}

std::string register_chosen() {
  return fmt::format(
      "INSERT INTO action_ids (tenant_id, action_id, deleted_at) SELECT tenant_id, action_id, ?4 {} "
      "ON CONFLICT DO NOTHING",
      chosen);
}

std::string compact_chosen() {
  return fmt::format(
      "INSERT INTO compacted_actions (tenant_id, {}) SELECT tenant_id, ifnull(resource_id, ''), action_type, "
      "ifnull(alert_name, ''), unixepoch(action_timestamp / 1000000, 'unixepoch', 'start of month') * 1000000 "
      "AS month, count(*), count(*) FILTER (WHERE execution_status = 'completed'), count(*) FILTER (WHERE "
      "execution_status IN ('failed', 'rolled-back', 'escalated')), count(effectiveness_score), "
      "total(effectiveness_score), total(effectiveness_score * effectiveness_score), "
      "count(execution_duration_ms), ifnull(sum(execution_duration_ms), 0), min(action_timestamp), "
      "max(action_timestamp) {} GROUP BY tenant_id, resource_id, action_type, alert_name, month "
      "ON CONFLICT DO UPDATE SET actions = actions + excluded.actions, "
      "completed = completed + excluded.completed, failed = failed + excluded.failed, "
      "assessed = assessed + excluded.assessed, score_sum = score_sum + excluded.score_sum, "
      "score_square_sum = score_square_sum + excluded.score_square_sum, timed = timed + excluded.timed, "
      "duration_ms_sum = duration_ms_sum + excluded.duration_ms_sum, "
      "first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)",
      sql::compacted_columns(), chosen);
}

}  // namespace

std::optional<RetentionPolicy> SqliteRetentionStore::default_policy() {
  return engine_.read([&](Connection& connection) -> std::optional<RetentionPolicy> {
    Query query(connection,
                fmt::format("SELECT {} FROM retention_defaults WHERE tenant_id = ?", sql::policy_columns()));
    if (!query.bind(engine_.tenant()).step()) return std::nullopt;
    return sql::read_policy(query);
  });
}

void SqliteRetentionStore::set_policy(const Resource& resource, const std::optional<RetentionPolicy>& policy,
                                      TimePoint now) {
  if (resource == Resource{}) return set_default(policy, now);
  const std::string& tenant = engine_.tenant();
  const std::string id = resource_id(tenant, resource);
  const sql::PolicyRow row = sql::to_row(policy.value_or(RetentionPolicy{}));
  engine_.write([&](Connection& connection) {
    Query reference(connection,
                    "INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, "
                    "api_version, kind, namespace, name, created_at, last_seen) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?9, ?9) ON CONFLICT DO NOTHING");
    reference.bind_all(tenant, id);
    bind_reference(reference, resource);
    reference.bind(now).run();
    Query query(
        connection,
        fmt::format(
            "INSERT INTO action_histories (tenant_id, resource_id, created_at, updated_at, {}, policy_set_at) "
            "VALUES (?1, ?2, ?3, ?3, {}, ?) ON CONFLICT DO UPDATE SET {}",
            sql::policy_columns(), sql::placeholders(sql::policy_columns(), sql::Dialect::sqlite),
            sql::policy_assignments()));
    query.bind_all(tenant, id, now);
    bind_policy(query, row);
    if (policy) {
      query.bind(now);
    } else {
      query.bind_null();
    }
    query.run();
  });
}

void SqliteRetentionStore::set_default(const std::optional<RetentionPolicy>& policy, TimePoint now) {
  engine_.write([&](Connection& connection) {
    if (!policy) {
      Query(connection, "DELETE FROM retention_defaults WHERE tenant_id = ?").bind(engine_.tenant()).run();
      return;
    }
    const sql::PolicyRow row = sql::to_row(*policy);
    Query query(connection, sql::insert_into("retention_defaults", sql::policy_columns() + ", policy_set_at",
                                             sql::Dialect::sqlite) +
                                " ON CONFLICT DO UPDATE SET " + sql::policy_assignments());
    query.bind(engine_.tenant());
    bind_policy(query, row);
    query.bind(now).run();
  });
}

std::vector<RetentionGroup> SqliteRetentionStore::groups(std::string_view after, bool own, int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(connection, fmt::format("{}? AND h.resource_id > ?{} ORDER BY h.resource_id LIMIT ?",
                                        sql::select_groups(), own ? " AND h.policy_set_at IS NOT NULL" : ""));
    query.bind(engine_.tenant()).bind_text(after).bind(limit);
    return read_rows(query, sql::read_group<Query>);
  });
}

RetentionGroup SqliteRetentionStore::group(std::string_view resource_id) {
  return engine_.read(
      [&](Connection& connection) { return read_group(connection, engine_.tenant(), resource_id); });
}

RetentionFacts SqliteRetentionStore::facts(std::string_view resource_id, const RetentionQuestion& question) {
  return engine_.read([&](Connection& connection) {
    const std::string& tenant = engine_.tenant();
    RetentionFacts facts;
    facts.total = read_group(connection, tenant, resource_id).total;
    facts.candidates = read_candidates(connection, tenant, resource_id, question);
    if (facts.candidates.empty()) return facts;
    if (facts.candidates.size() > static_cast<std::size_t>(question.limit)) {
      facts.candidates.pop_back();
      facts.more = true;
    }
    if (question.best > 0) facts.best = read_best(connection, tenant, resource_id, question.best);
    facts.cited = read_cited(connection, tenant, resource_id, question);
    return facts;
  });
}

bool SqliteRetentionStore::held(std::span<const ExpiringAction> actions) {
  return engine_.read([&](Connection& connection) {
    Query query(connection,
                fmt::format("SELECT 1 FROM resource_action_traces AS t WHERE tenant_id = ? AND action_id "
                            "IN (SELECT value FROM json_each(?)) AND owner IS NOT NULL AND {} LIMIT 1",
                            sql::held_by_name("t")));
    return query.bind_all(engine_.tenant(), id_list(actions)).step();
  });
}

std::int64_t SqliteRetentionStore::remove(std::string_view resource_id,
                                          std::span<const ExpiringAction> actions, bool compact,
                                          TimePoint now) {
  const std::string ids = id_list(actions);
  return engine_.write([&](Connection& connection) {
    const std::string& tenant = engine_.tenant();
    // The worker finds the traces gone and puts tombstones into the feed.
    Query(connection, enqueue_chosen()).bind_all(tenant, resource_id, ids, now).run();
    Query(connection, register_chosen()).bind_all(tenant, resource_id, ids, now).run();
    remove_texts(connection, tenant, ids);
    if (compact) Query(connection, compact_chosen()).bind_all(tenant, resource_id, ids).run();
    const std::int64_t removed =
        Query(connection, fmt::format("DELETE {}", chosen)).bind_all(tenant, resource_id, ids).run();
    Query(connection,
          "UPDATE action_histories SET total_actions = total_actions - ?, updated_at = ? WHERE "
          "tenant_id = ? AND resource_id = ?")
        .bind_all(removed, now, tenant, resource_id)
        .run();
    return removed;
  });
}

std::vector<CompactedActions> SqliteRetentionStore::compacted(std::string_view resource_id) {
  return engine_.read([&](Connection& connection) {
    Query query(connection, fmt::format("SELECT {} FROM compacted_actions WHERE tenant_id = ? AND "
                                        "resource_id = ? ORDER BY period_start, action_type, alert_name",
                                        sql::compacted_columns()));
    query.bind(engine_.tenant()).bind_text(resource_id);
    return read_rows(query, sql::read_compacted<Query>);
  });
}

std::int64_t SqliteRetentionStore::remove_alerts(TimePoint before, int limit) {
  static const std::string text = fmt::format(
      "DELETE FROM alert_events WHERE (tenant_id, fingerprint, starts_at) IN (SELECT tenant_id, "
      "fingerprint, starts_at FROM alert_events AS a WHERE tenant_id = ? AND starts_at < ? AND NOT {} "
      "ORDER BY starts_at LIMIT ?)",
      sql::held_by_name("a"));
  return engine_.write([&](Connection& connection) -> std::int64_t {
    return Query(connection, text).bind_all(engine_.tenant(), before, limit).run();
  });
}

void SqliteRetentionStore::put(const RetentionOperation& operation) {
  engine_.write([&](Connection& connection) {
    Query query(connection,
                sql::insert_into("retention_operations", sql::operation_columns(), sql::Dialect::sqlite) +
                    " ON CONFLICT DO UPDATE SET " + sql::operation_assignments());
    query.bind(engine_.tenant());
    sql::visit_operation(operation, [&]<class T>(std::string_view name, const T& member) {
      if constexpr (std::is_same_v<T, std::string>) {
        if (name != "error_message") {
          query.bind_text(member);
          return;
        }
      }
      query.bind(member);
    });
    query.run();
  });
}

void SqliteRetentionStore::give_up(TimePoint before, TimePoint now) {
  engine_.write([&](Connection& connection) {
    Query(connection,
          "UPDATE retention_operations SET operation_status = 'failed', operation_end = updated_at, "
          "operation_duration_ms = (updated_at - operation_start) / 1000, updated_at = ?, "
          "error_message = 'interrupted: its process ended' "
          "WHERE tenant_id = ? AND operation_status = 'running' AND updated_at < ?")
        .bind_all(now, engine_.tenant(), before)
        .run();
  });
}

std::vector<RetentionOperation> SqliteRetentionStore::operations(int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(connection, fmt::format("SELECT {} FROM retention_operations WHERE tenant_id = ? ORDER BY "
                                        "operation_start DESC, operation_id DESC LIMIT ?",
                                        sql::operation_columns()));
    query.bind_all(engine_.tenant(), limit);
    return read_rows(query, sql::read_operation<Query>);
  });
}

}  // namespace actionhist::sqlite
