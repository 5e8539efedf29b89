#include "support/two_years.hpp"

#include <fmt/format.h>

namespace actionhist::test {

std::string two_years_of_traces(int rows) {
  return fmt::format(
      "SET search_path = actionhist, pg_temp;"
      "SELECT actionhist_ensure_month('2024-03-20 UTC'::timestamptz + make_interval(months => m)) "
      "FROM generate_series(0, 24) AS m;"
      "INSERT INTO resource_action_traces (tenant_id, action_id, action_timestamp, correlation_id, session_id, "
      "alert_name, alert_severity, alert_labels, model_used, model_confidence, model_reasoning, action_type, effect, "
      "action_parameters, resource_state_before, cluster, kind, namespace, name, resource_id, execution_status, "
      "execution_duration_ms, effectiveness_score, effectiveness_due_at, metadata, created_at, updated_at) "
      "SELECT CASE WHEN g % 10 < 6 THEN 'big' ELSE 't' || g % 10 END, 'a-' || g, "
      "'2026-03-10 12:00 UTC'::timestamptz - make_interval(secs => g * (729.0 * 86400 / {0})), "
      "CASE WHEN g % 5 = 0 THEN 'c-' || g / 50 END, 's-' || g / 20, "
      "CASE WHEN g % 500 = 1 THEN 'RareAlert' ELSE 'Alert' || g % 7 END, 'warning', "
      "jsonb_build_object('pod', 'p-' || g / 40, 'app', 'app' || g % 9)::text, "
      "CASE WHEN g % 500 = 2 THEN 'rare-model' ELSE 'model-' || g % 3 END, .5, "
      "'The pod restarts again and again; ' || CASE WHEN g % 500 = 3 THEN 'quorum' ELSE 'memory' END || ' is lost', "
      "CASE WHEN g % 500 = 4 THEN 'drain_node' ELSE 'restart_' || g % 6 END, 'mutating', "
      "jsonb_build_object('replicas', g % 900, 'reason', 'r' || g % 11)::text, "
      "jsonb_build_object('spec', jsonb_build_object('replicas', g % 700))::text, "
      "'prod', 'Deployment', CASE WHEN g % 500 = 5 THEN 'rare-space' ELSE 'ns-' || g % 8 END, 'web-' || g % 200, "
      "'r-' || g % 200, CASE WHEN g % 500 = 10 THEN 'failed' WHEN g % 500 = 11 THEN 'pending' ELSE 'completed' END, "
      "CASE WHEN g % 500 = 12 THEN 900000 ELSE g % 60000 END, "
      "CASE WHEN g % 500 = 13 THEN .01 WHEN g % 3 = 0 THEN .2 + (g % 80) / 100.0 END, "
      "CASE WHEN g % 500 = 14 THEN '2026-03-01 UTC'::timestamptz END, "
      "jsonb_build_object('ticket', 'T-' || g / 30)::text, now(), now() FROM generate_series(1, {0}) AS g;"
      "INSERT INTO action_ids (tenant_id, action_id, action_timestamp) SELECT tenant_id, action_id, action_timestamp "
      "FROM resource_action_traces;"
      "INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, api_version, kind, namespace, "
      "name, created_at, last_seen) SELECT 'big', 'r-' || r, 'prod', 'apps', '', 'Deployment', 'ns-' || r % 8, "
      "'web-' || r, now(), now() FROM generate_series(0, 199) AS r;"
      "INSERT INTO action_histories (tenant_id, resource_id, total_actions, last_action_at, created_at, updated_at) "
      "SELECT tenant_id, resource_id, count(*), max(action_timestamp), now(), now() FROM resource_action_traces "
      "WHERE tenant_id = 'big' GROUP BY tenant_id, resource_id;"
      "ANALYZE resource_action_traces; ANALYZE resource_references; ANALYZE action_histories; ANALYZE action_ids;",
      rows);
}

}  // namespace actionhist::test
