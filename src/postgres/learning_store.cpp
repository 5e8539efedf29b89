#include "postgres/learning_store.hpp"

#include "postgres/condition.hpp"
#include "postgres/reads.hpp"
#include "sql/learning_rows.hpp"
#include "sql/pattern_rows.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {

std::vector<Tally> PostgresLearningStore::tally(const TallyQuery& wanted) {
  const sql::Condition condition = sql::condition(wanted.where, sql::Dialect::postgresql, 6);
  // The newest rows by time first, so that the cost has a limit whatever the filter is. Scores are summed in
  // whole billionths, so that the sum does not depend on the order of the rows.
  const std::string text =
      "SELECT action_type, coalesce(alert_name = $1, false), coalesce(namespace = $2, false), "
      "coalesce(resource_id = $3, false), count(*), count(success), "
      "coalesce(sum(floor(success * 1e9 + 0.5)::int8), 0)::float8 / 1e9 FROM (SELECT "
      "action_type, alert_name, namespace, resource_id, CASE WHEN effectiveness_score IS NOT NULL THEN "
      "effectiveness_score WHEN execution_status = 'failed' THEN 0.0 END AS success FROM (SELECT * FROM "
      "resource_action_traces WHERE tenant_id = $4 AND created_at > '-infinity' "
      "ORDER BY action_timestamp DESC, action_id DESC LIMIT $5) AS newest WHERE effect = 'mutating' AND " +
      condition.text + ") AS cases GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
  // Empty text is sent as NULL, and nothing equals that.
  Parameters parameters(wanted.alert_name, wanted.namespace_, wanted.resource_id, engine_.tenant(),
                        std::int64_t{wanted.newest});
  add(parameters, condition);
  const Result result = engine_.run(text, std::move(parameters), Plan::once);
  return read_rows(result, sql::read_tally<Reader>);
}

void PostgresLearningStore::put(const OverrideRecord& record) {
  engine_.run(
      "INSERT INTO guard_overrides (tenant_id, override_id, action_id, actor, reason, overridden_at, "
      "detection_ids) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
      Parameters(engine_.tenant(), record.override_id, record.action_id, record.actor, record.reason,
                 record.overridden_at, sql::write_list(record.detection_ids)));
}

std::vector<OverrideRecord> PostgresLearningStore::overrides(TimePoint since, TimePoint until, int limit) {
  const Result result = engine_.run(
      "SELECT override_id, action_id, actor, reason, overridden_at, detection_ids FROM guard_overrides "
      "WHERE tenant_id = $1 AND overridden_at >= $2 AND overridden_at < $3 "
      "ORDER BY overridden_at DESC, override_id DESC LIMIT $4",
      Parameters(engine_.tenant(), since, until, limit));
  return read_rows(result, sql::read_override<Reader>);
}

GuardPolicy PostgresLearningStore::guard_policy(std::string_view resource_id) {
  std::vector<Call> calls;
  calls.push_back(ask_policy(engine_.tenant(), resource_id));
  return read_policy(engine_.run(std::move(calls)).front());
}

void PostgresLearningStore::set_guard_policy(std::string_view resource_id, const GuardPolicy& policy,
                                             TimePoint now) {
  std::optional<std::int64_t> window, occurrences;
  if (policy.window) window = policy.window->count();
  if (policy.min_occurrences) occurrences = *policy.min_occurrences;
  engine_.run(
      "INSERT INTO action_histories AS h (tenant_id, resource_id, oscillation_window_minutes, "
      "effectiveness_threshold, pattern_min_occurrences, created_at, updated_at, version) "
      "VALUES ($1, $2, $3, $4, $5, $6, $6, 1) ON CONFLICT (tenant_id, resource_id) DO UPDATE SET "
      "oscillation_window_minutes = excluded.oscillation_window_minutes, "
      "effectiveness_threshold = excluded.effectiveness_threshold, "
      "pattern_min_occurrences = excluded.pattern_min_occurrences, updated_at = excluded.updated_at, "
      "version = h.version + 1",
      Parameters(engine_.tenant(), resource_id, window, policy.effectiveness_threshold, occurrences, now));
}

std::vector<Detection> PostgresLearningStore::unsettled(TimePoint until, TimePoint judged, int limit) {
  // The second line is the condition of an index.
  static const std::string text =
      "SELECT " + sql::detection_columns() +
      " FROM oscillation_detections WHERE tenant_id = $1 AND detected_at < $2 AND "
      "(resolved_at IS NULL OR (prevention_successful IS NULL AND prevention_action IS NOT NULL AND NOT shadow)) AND "
      "(resolved_at IS NULL OR (detected_at < $3 AND overrides = 0 AND refusals > 0)) "
      "ORDER BY detected_at, scope, pattern_id, detection_id LIMIT $4";
  return read_detections(engine_.run(text, Parameters(engine_.tenant(), until, judged, limit)));
}

void PostgresLearningStore::refresh_pattern_rates() {
  engine_.run(
      "UPDATE oscillation_patterns p SET (prevention_success_rate, false_positive_rate) = (SELECT "
      "avg(d.prevention_successful::int)::float8, (avg(d.false_positive::int) FILTER (WHERE d.resolved_at IS "
      "NOT NULL))::float8 FROM oscillation_detections d WHERE d.tenant_id = p.tenant_id AND "
      "d.pattern_id = p.pattern_id) WHERE p.tenant_id = $1",
      Parameters(engine_.tenant()));
}

std::vector<Trace> PostgresLearningStore::lease_assessments(std::string_view worker, TimePoint now,
                                                            TimePoint until, int limit) {
  static const std::string text =
      "WITH due AS (SELECT action_id, action_timestamp, effectiveness_due_at FROM resource_action_traces t WHERE "
      "tenant_id = $1 AND effectiveness_due_at <= $2 AND effectiveness_score IS NULL AND "
      "execution_status NOT IN ('pending', 'executing') AND NOT EXISTS (SELECT FROM "
      "assessment_leases l WHERE l.tenant_id = $1 AND l.action_id = t.action_id AND l.expires_at > $2) "
      "ORDER BY effectiveness_due_at, action_id LIMIT $5), "
      "leased AS (INSERT INTO assessment_leases AS l (tenant_id, action_id, worker, expires_at) "
      "SELECT $1, action_id, $3, $4 FROM due ORDER BY action_id ON CONFLICT (tenant_id, action_id) DO UPDATE SET "
      "worker = excluded.worker, expires_at = excluded.expires_at WHERE l.expires_at <= $2 RETURNING action_id) "
      "SELECT " +
      sql::trace_columns() +
      " FROM resource_action_traces JOIN leased USING (action_id) WHERE tenant_id = $1 AND action_timestamp IN "
      "(SELECT action_timestamp FROM due) ORDER BY effectiveness_due_at, action_id";
  std::vector<Call> calls;
  // Leases that ended, or whose action was assessed, are nobody's. What another worker is just deleting is left to it.
  calls.push_back(
      {"DELETE FROM assessment_leases WHERE tenant_id = $1 AND action_id IN (SELECT action_id FROM "
       "assessment_leases WHERE tenant_id = $1 AND expires_at <= $2 FOR UPDATE SKIP LOCKED)",
       Parameters(engine_.tenant(), now)});
  calls.push_back({text, Parameters(engine_.tenant(), now, worker, until, limit)});
  return read_traces(engine_.run(std::move(calls)).back());
}

bool PostgresLearningStore::lease(Duty duty, std::string_view worker, TimePoint now, TimePoint until) {
  return engine_
             .run(
                 "INSERT INTO upkeep_leases AS l (tenant_id, duty, worker, expires_at) VALUES ($1, $2, $3, $4) "
                 "ON CONFLICT (tenant_id, duty) DO UPDATE SET worker = excluded.worker, expires_at = excluded.expires_at "
                 "WHERE l.worker = excluded.worker OR l.expires_at <= $5 OR l.expires_at > $6",
                 Parameters(engine_.tenant(), to_string(duty), worker, until, now, now + longest_lease(duty)))
             .affected() > 0;
}

std::vector<DueAnalysis> PostgresLearningStore::lease_analyses(TimePoint now, TimePoint until,
                                                               TimePoint active, int limit) {
  // What an agent has locked changes right now, and is due at the next turn.
  const Result result = engine_.run(
      "UPDATE action_histories h SET next_analysis_at = $4 FROM (SELECT resource_id, updated_at FROM "
      "action_histories WHERE tenant_id = $1 AND last_action_at >= $2 AND "
      "updated_at IS DISTINCT FROM last_analysis_at AND "
      "coalesce(next_analysis_at, '-infinity') <= $3 ORDER BY updated_at, resource_id LIMIT $5 "
      "FOR UPDATE SKIP LOCKED) AS due WHERE h.tenant_id = $1 AND h.resource_id = due.resource_id "
      "RETURNING h.resource_id, due.updated_at",
      Parameters(engine_.tenant(), active, now, until, std::int64_t{limit}));
  return read_rows(result, sql::read_due_analysis<Reader>);
}

void PostgresLearningStore::analysed(const DueAnalysis& done, TimePoint next) {
  engine_.run(
      "UPDATE action_histories SET last_analysis_at = $3, next_analysis_at = $4 WHERE tenant_id = $1 AND "
      "resource_id = $2",
      Parameters(engine_.tenant(), done.resource_id, done.changed_at, next));
}

}  // namespace actionhist::postgres
