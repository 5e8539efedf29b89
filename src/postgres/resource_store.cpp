#include "postgres/resource_store.hpp"

#include "postgres/guard_heads.hpp"
#include "postgres/reads.hpp"
#include "postgres/trace_rows.hpp"
#include "sql/resource_rows.hpp"

namespace actionhist::postgres {

void PostgresResourceStore::seen(const Resource& resource, TimePoint at) {
  const std::string id = resource_id(engine_.tenant(), resource);
  Parameters reference(engine_.tenant(), id);
  add_reference(reference, resource);
  reference.add(at);
  std::vector<Call> calls;
  calls.push_back(
      {"INSERT INTO resource_references AS r (tenant_id, resource_id, cluster, api_group, api_version, kind, "
       "namespace, name, created_at, last_seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) "
       "ON CONFLICT (tenant_id, resource_id) DO UPDATE SET api_version = excluded.api_version, deleted_at = CASE WHEN "
       "r.deleted_at > excluded.last_seen THEN r.deleted_at END, last_seen = greatest(r.last_seen, excluded.last_seen)",
       std::move(reference), Plan::kept});
  if (!resource.uid.empty()) {
    // A new uid under the same name ends the incarnation before it, not one that was seen later.
    calls.push_back(
        {"UPDATE resource_incarnations SET deleted_at = $4 WHERE tenant_id = $1 AND resource_id = $2 "
         "AND resource_uid <> $3 AND deleted_at IS NULL AND last_seen <= $4",
         Parameters(engine_.tenant(), id, resource.uid, at), Plan::kept});
    Parameters incarnation(engine_.tenant(), id, resource.uid);
    incarnation.add_text(resource.api_version);
    incarnation.add(at);
    calls.push_back(
        {"INSERT INTO resource_incarnations AS i (tenant_id, resource_id, resource_uid, api_version, "
         "created_at, last_seen) VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (tenant_id, resource_id, "
         "resource_uid) DO UPDATE SET deleted_at = CASE WHEN i.deleted_at > excluded.last_seen THEN i.deleted_at END, "
         "last_seen = greatest(i.last_seen, excluded.last_seen)",
         std::move(incarnation), Plan::kept});
  }
  engine_.run(std::move(calls));
}

bool PostgresResourceStore::deleted(const Resource& resource, TimePoint at) {
  const std::string id = resource_id(engine_.tenant(), resource);
  std::vector<Call> calls;
  calls.push_back(
      {"UPDATE resource_incarnations SET deleted_at = $3 WHERE tenant_id = $1 AND resource_id = $2 "
       "AND deleted_at IS NULL AND last_seen <= $3",
       Parameters(engine_.tenant(), id, at), Plan::kept});
  calls.push_back(
      {"UPDATE resource_references SET deleted_at = CASE WHEN last_seen <= $3 THEN $3 ELSE deleted_at END "
       "WHERE tenant_id = $1 AND resource_id = $2",
       Parameters(engine_.tenant(), id, at), Plan::kept});
  return engine_.run(std::move(calls)).back().affected() > 0;
}

std::vector<Resource> PostgresResourceStore::named(const Resource& resource, bool gone) {
  Parameters parameters(engine_.tenant());
  for (const std::string* part :
       {&resource.kind, &resource.name, &resource.namespace_, &resource.cluster, &resource.api_group}) {
    parameters.add_text(*part);
  }
  parameters.add(gone);
  const Result result = engine_.run(
      "SELECT cluster, api_group, api_version, kind, namespace, name FROM (SELECT r.*, rank() OVER (ORDER BY "
      "deleted_at IS NOT NULL AND deleted_at >= coalesce(last_action_at, deleted_at)) AS place FROM "
      "resource_references r LEFT JOIN action_histories h ON h.tenant_id = r.tenant_id AND h.resource_id = "
      "r.resource_id WHERE r.tenant_id = $1 AND kind = $2 AND name = $3 AND namespace = $4 AND $5 IN ('', cluster) AND "
      "$6 IN ('', api_group)) AS named WHERE $7 OR place = 1 ORDER BY cluster, api_group LIMIT 10",
      std::move(parameters));
  return read_rows(result, sql::read_reference<Reader>);
}

void PostgresResourceStore::observe(const Alert& alert) {
  Parameters parameters(engine_.tenant(), alert.fingerprint, alert.starts_at, alert.ends_at);
  parameters.add_text(alert.name);
  parameters.add(alert.severity);
  parameters.add(alert.labels);
  parameters.add(resource_id(engine_.tenant(), alert.resource));
  visit_resource(alert.resource, [&](std::string_view, const std::string& part) { parameters.add(part); });
  std::vector<Call> calls;
  calls.push_back(move_watch(engine_.tenant()));
  calls.push_back(
      {"INSERT INTO alert_events AS a (tenant_id, fingerprint, starts_at, ends_at, alert_name, severity, labels, "
       "resource_id, cluster, api_group, api_version, kind, namespace, name, resource_uid) "
       "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
       "ON CONFLICT (tenant_id, fingerprint, starts_at) DO UPDATE SET "
       "ends_at = coalesce(excluded.ends_at, a.ends_at), severity = coalesce(excluded.severity, a.severity), "
       "labels = coalesce(excluded.labels, a.labels)",
       std::move(parameters)});
  engine_.run(std::move(calls));
}

std::vector<Alert> PostgresResourceStore::alerts(TimePoint since, TimePoint until) {
  std::vector<Call> calls{ask_alerts(engine_.tenant(), since, until)};
  return read_alerts(engine_.run(std::move(calls)).front());
}

EarlierAlerts PostgresResourceStore::earlier_alerts(const EarlierAlertQuery& query) {
  std::vector<Call> calls;
  ask_earlier_alerts(calls, engine_.tenant(), query);
  return read_earlier_alerts(engine_.run(std::move(calls)));
}

std::optional<TimePoint> PostgresResourceStore::alert_end(std::string_view fingerprint, TimePoint since,
                                                          TimePoint until) {
  const Result result = engine_.run(
      "SELECT ends_at FROM alert_events WHERE tenant_id = $1 AND fingerprint = $2 AND starts_at BETWEEN $3 AND $4 "
      "ORDER BY starts_at DESC LIMIT 1",
      Parameters(engine_.tenant(), fingerprint, since, until));
  Reader reader(result);
  return reader.next() ? reader.get<std::optional<TimePoint>>() : std::nullopt;
}

}  // namespace actionhist::postgres
