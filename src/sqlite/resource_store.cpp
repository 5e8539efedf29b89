#include "sqlite/resource_store.hpp"

#include "sql/json_list.hpp"
#include "sql/resource_rows.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {

void SqliteResourceStore::seen(const Resource& resource, TimePoint at) {
  const std::string id = resource_id(engine_.tenant(), resource);
  engine_.write([&](Connection& connection) {
    Query query(
        connection,
        "INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, api_version, kind, "
        "namespace, name, created_at, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?9, ?9) ON CONFLICT DO "
        "UPDATE SET api_version = excluded.api_version, deleted_at = CASE WHEN deleted_at > excluded.last_seen "
        "THEN deleted_at END, last_seen = max(last_seen, excluded.last_seen)");
    query.bind_all(engine_.tenant(), id);
    bind_reference(query, resource);
    query.bind(at).run();
    if (resource.uid.empty()) return;
    // A new uid under the same name ends the incarnation before it, not one that was seen later.
    Query(connection,
          "UPDATE resource_incarnations SET deleted_at = ?1 WHERE tenant_id = ? AND resource_id = ? "
          "AND resource_uid <> ? AND deleted_at IS NULL AND last_seen <= ?1")
        .bind_all(at, engine_.tenant(), id, resource.uid)
        .run();
    Query incarnation(connection,
                      "INSERT INTO resource_incarnations (tenant_id, resource_id, resource_uid, api_version, "
                      "created_at, last_seen) VALUES (?, ?, ?, ?, ?5, ?5) ON CONFLICT DO UPDATE SET "
                      "deleted_at = CASE WHEN deleted_at > excluded.last_seen THEN deleted_at END, "
                      "last_seen = max(last_seen, excluded.last_seen)");
    incarnation.bind_all(engine_.tenant(), id, resource.uid).bind_text(resource.api_version).bind(at).run();
  });
}

bool SqliteResourceStore::deleted(const Resource& resource, TimePoint at) {
  const std::string id = resource_id(engine_.tenant(), resource);
  return engine_.write([&](Connection& connection) {
    Query(connection,
          "UPDATE resource_incarnations SET deleted_at = ?1 WHERE tenant_id = ? AND resource_id = ? "
          "AND deleted_at IS NULL AND last_seen <= ?1")
        .bind_all(at, engine_.tenant(), id)
        .run();
    return Query(connection,
                 "UPDATE resource_references SET deleted_at = CASE WHEN last_seen <= ?1 THEN ?1 ELSE "
                 "deleted_at END WHERE tenant_id = ? AND resource_id = ?")
               .bind_all(at, engine_.tenant(), id)
               .run() > 0;
  });
}

std::vector<Resource> SqliteResourceStore::named(const Resource& resource, bool gone) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT cluster, api_group, api_version, kind, namespace, name FROM (SELECT r.*, rank() OVER (ORDER BY "
        "deleted_at IS NOT NULL AND deleted_at >= ifnull(last_action_at, deleted_at)) AS place FROM "
        "resource_references r LEFT JOIN action_histories h ON h.tenant_id = r.tenant_id AND h.resource_id = "
        "r.resource_id WHERE r.tenant_id = ? AND kind = ? AND name = ? AND namespace = ? AND ?5 IN ('', cluster) AND "
        "?6 IN ('', api_group)) WHERE ?7 OR place = 1 ORDER BY cluster, api_group LIMIT 10");
    query.bind(engine_.tenant());
    for (const std::string* part :
         {&resource.kind, &resource.name, &resource.namespace_, &resource.cluster, &resource.api_group}) {
      query.bind_text(*part);
    }
    query.bind(gone);
    return read_rows(query, sql::read_reference<Query>);
  });
}

void SqliteResourceStore::observe(const Alert& alert) {
  engine_.write([&](Connection& connection) {
    Query query(
        connection,
        "INSERT INTO alert_events (tenant_id, fingerprint, starts_at, ends_at, alert_name, severity, "
        "labels, resource_id, cluster, api_group, api_version, kind, namespace, name, resource_uid) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "ends_at = coalesce(excluded.ends_at, ends_at), severity = coalesce(excluded.severity, severity), "
        "labels = coalesce(excluded.labels, labels)");
    const std::string id = resource_id(engine_.tenant(), alert.resource);
    query.bind_all(engine_.tenant(), alert.fingerprint, alert.starts_at, alert.ends_at, alert.name,
                   alert.severity, alert.labels, id);
    visit_resource(alert.resource, [&](std::string_view, const std::string& part) { query.bind(part); });
    query.run();
  });
}

std::vector<Alert> SqliteResourceStore::alerts(TimePoint since, TimePoint until) {
  return engine_.read([&](Connection& connection) {
    Query query(connection,
                "SELECT fingerprint, starts_at, ends_at, alert_name, severity, labels, cluster, api_group, "
                "api_version, kind, namespace, name, resource_uid FROM alert_events WHERE tenant_id = ? AND "
                "starts_at BETWEEN ? AND ? ORDER BY starts_at, fingerprint");
    query.bind_all(engine_.tenant(), since, until);
    return read_rows(query, sql::read_alert<Query>);
  });
}

EarlierAlerts SqliteResourceStore::earlier_alerts(const EarlierAlertQuery& query) {
  const std::string fingerprints = sql::write_list(query.fingerprints);
  const std::string namespaces = sql::write_list(query.namespaces);
  return engine_.read([&](Connection& connection) {
    EarlierAlerts earlier;
    // Without its index each of these would read all alerts of the week: better an error.
    Query firings(
        connection,
        "SELECT a.fingerprint, firings, latest_end, starts_at, ends_at, cluster, api_group, api_version, kind, "
        "namespace, name, resource_uid FROM (SELECT fingerprint, count(*) AS firings, max(starts_at) AS latest, "
        "max(ends_at) AS latest_end FROM alert_events INDEXED BY alert_events_firings WHERE tenant_id = ?1 AND "
        "fingerprint IN (SELECT value FROM json_each(?2)) AND starts_at >= ?3 AND starts_at < ?4 GROUP BY "
        "fingerprint) AS e CROSS JOIN alert_events a ON a.tenant_id = ?1 AND a.fingerprint = e.fingerprint AND "
        "a.starts_at = e.latest ORDER BY e.fingerprint");
    firings.bind_all(engine_.tenant(), fingerprints, query.since, query.until);
    earlier.firings = read_rows(firings, sql::read_earlier_firings<Query>);
    Query critical(
        connection,
        "SELECT value FROM json_each(?2) WHERE EXISTS (SELECT 1 FROM alert_events INDEXED BY "
        "alert_events_critical WHERE tenant_id = ?1 AND severity = 'critical' AND ifnull(namespace, '') = value "
        "AND starts_at >= ?3 AND starts_at < ?4) ORDER BY value");
    critical.bind_all(engine_.tenant(), namespaces, query.since, query.until);
    earlier.critical_namespaces = read_rows(critical, [](Query& row) { return row.get<std::string>(); });
    return earlier;
  });
}

std::optional<TimePoint> SqliteResourceStore::alert_end(std::string_view fingerprint, TimePoint since,
                                                        TimePoint until) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT ends_at FROM alert_events WHERE tenant_id = ? AND fingerprint = ? AND starts_at BETWEEN ? AND "
        "? ORDER BY starts_at DESC LIMIT 1");
    query.bind_all(engine_.tenant(), fingerprint, since, until);
    return query.step() ? query.get<std::optional<TimePoint>>() : std::nullopt;
  });
}

}  // namespace actionhist::sqlite
