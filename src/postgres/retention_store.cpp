#include "postgres/retention_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "postgres/trace_rows.hpp"
#include "sql/placeholders.hpp"
#include "sql/retention_columns.hpp"

namespace actionhist::postgres {
namespace {

void add_policy(Parameters& parameters, const std::optional<RetentionPolicy>& policy) {
  const sql::PolicyRow row = sql::to_row(policy.value_or(RetentionPolicy{}));
  sql::visit_policy(row, [&](std::string_view, const auto& member) { parameters.add(member); });
}

// Actions without a resource are found by time, through the index that repeats its condition.
std::string of_group(std::string_view resource_id) {
  return resource_id.empty() ? "resource_id IS NULL AND $2::text IS NULL AND created_at > '-infinity'"
                             : "resource_id = $2";
}

std::vector<std::string> read_ids(const Result& result) {
  return read_rows(result, [](Reader& row) { return row.get<std::string>(); });
}

// What names actions: their ids, and the span of their times, which names the months. REQUIRES: at least one.
struct Chosen {
  explicit Chosen(std::span<const ExpiringAction> actions) {
    for (const ExpiringAction& action : actions) ids.push_back(action.action_id);
    const auto [oldest, newest] = std::ranges::minmax(actions, {}, &ExpiringAction::time);
    first = oldest.time;
    last = newest.time;
  }

  std::vector<std::string> ids;
  TimePoint first;
  TimePoint last;
};

// The chosen traces of a removal: tenant, resource, and what Chosen names.
constexpr std::string_view chosen =
    "FROM resource_action_traces t WHERE t.tenant_id = $1 AND t.resource_id IS NOT DISTINCT FROM $2 AND "
    "t.action_id = ANY($3) AND t.action_timestamp BETWEEN $4 AND $5";

const std::string& lock_chosen() {
  static const std::string text = fmt::format("SELECT {} ORDER BY t.action_id FOR UPDATE", chosen);
  return text;
}

// An id that another run registered meanwhile stays that run's: it removed the action, and counts it.
const std::string& register_chosen() {
  static const std::string text = fmt::format(
      "INSERT INTO action_ids (tenant_id, action_id, action_timestamp, deleted_at) SELECT t.tenant_id, "
      "t.action_id, t.action_timestamp, $6 {} ORDER BY t.action_id ON CONFLICT (tenant_id, action_id) DO "
      "UPDATE SET deleted_at = excluded.deleted_at WHERE action_ids.deleted_at IS NULL",
      chosen);
  return text;
}

const std::string& move_heads_of_chosen() {
  static const std::string text = fmt::format(
      "INSERT INTO guard_heads AS h (tenant_id, scope, version) SELECT $1, scope, 1 FROM (SELECT DISTINCT scope FROM "
      "(SELECT t.correlation_id, t.session_id {}) AS gone, LATERAL (VALUES ('correlation:' || correlation_id), "
      "('session:' || session_id)) AS s(scope) WHERE scope IS NOT NULL) AS moved ORDER BY scope "
      "ON CONFLICT (tenant_id, scope) DO UPDATE SET version = h.version + 1",
      chosen);
  return text;
}

const std::string& compact_chosen() {
  static const std::string text = fmt::format(
      "INSERT INTO compacted_actions AS c (tenant_id, {}) SELECT t.tenant_id, coalesce(t.resource_id, ''), "
      "t.action_type, coalesce(t.alert_name, '') AS alert, date_trunc('month', t.action_timestamp, 'UTC') AS "
      "month, count(*), count(*) FILTER (WHERE execution_status = 'completed'), count(*) FILTER (WHERE "
      "execution_status IN ('failed', 'rolled-back', 'escalated')), count(effectiveness_score), "
      "coalesce(sum(effectiveness_score), 0), coalesce(sum(effectiveness_score * effectiveness_score), 0), "
      "count(execution_duration_ms), coalesce(sum(execution_duration_ms), 0), min(action_timestamp), "
      "max(action_timestamp) {} GROUP BY t.tenant_id, t.resource_id, t.action_type, alert, month "
      "ORDER BY t.action_type, alert, month "
      "ON CONFLICT (tenant_id, resource_id, action_type, alert_name, period_start) DO UPDATE SET "
      "actions = c.actions + excluded.actions, "
      "completed = c.completed + excluded.completed, failed = c.failed + excluded.failed, "
      "assessed = c.assessed + excluded.assessed, score_sum = c.score_sum + excluded.score_sum, "
      "score_square_sum = c.score_square_sum + excluded.score_square_sum, timed = c.timed + excluded.timed, "
      "duration_ms_sum = c.duration_ms_sum + excluded.duration_ms_sum, "
      "first_at = least(c.first_at, excluded.first_at), last_at = greatest(c.last_at, excluded.last_at)",
      sql::compacted_columns(), chosen);
  return text;
}

const std::string& delete_chosen() {
  static const std::string text = fmt::format(
      "WITH gone AS (DELETE {} RETURNING t.action_id), history AS (UPDATE action_histories SET "
      "total_actions = total_actions - (SELECT count(*) FROM gone), updated_at = $6, version = version + 1 "
      "WHERE tenant_id = $1 AND resource_id = $2), queue AS (INSERT INTO embedding_queue AS q (tenant_id, subject_id, version, "
      "enqueued_at) SELECT $1, action_id, 1, $6 FROM gone ORDER BY action_id ON CONFLICT (tenant_id, "
      "subject_id) DO UPDATE SET version = q.version + 1, attempts = 0, last_error = NULL) "
      "SELECT FROM gone",
      chosen);
  return text;
}

// What went now, or in a first try whose commit was not answered.
constexpr std::string_view count_gone =
    "SELECT count(*) FROM action_ids WHERE tenant_id = $1 AND action_id = ANY($2) AND deleted_at = $3";

}  // namespace

std::optional<RetentionPolicy> PostgresRetentionStore::default_policy() {
  static const std::string text =
      fmt::format("SELECT {} FROM retention_defaults WHERE tenant_id = $1", sql::policy_columns());
  const Result result = engine_.run(text, Parameters(engine_.tenant()));
  Reader reader(result);
  if (!reader.next()) return std::nullopt;
  return sql::read_policy(reader);
}

void PostgresRetentionStore::set_policy(const Resource& resource,
                                        const std::optional<RetentionPolicy>& policy, TimePoint now) {
  static const std::string put_default = fmt::format(
      "INSERT INTO retention_defaults (tenant_id, policy_set_at, {}) VALUES ($1, $2, {}) "
      "ON CONFLICT (tenant_id) DO UPDATE SET {}",
      sql::policy_columns(), sql::placeholders(sql::policy_columns(), sql::Dialect::postgresql, 3),
      sql::policy_assignments());
  static const std::string put_own = fmt::format(
      "INSERT INTO action_histories (tenant_id, policy_set_at, resource_id, created_at, updated_at, {}) VALUES "
      "($1, $2, $3, $4, $4, {}) ON CONFLICT (tenant_id, resource_id) DO UPDATE SET {}",
      sql::policy_columns(), sql::placeholders(sql::policy_columns(), sql::Dialect::postgresql, 5),
      sql::policy_assignments());
  const std::string& tenant = engine_.tenant();
  const auto set_at = policy ? std::optional(now) : std::nullopt;
  if (resource == Resource{}) {
    if (!policy) {
      engine_.run("DELETE FROM retention_defaults WHERE tenant_id = $1", Parameters(tenant));
      return;
    }
    Parameters parameters(tenant, set_at);
    add_policy(parameters, policy);
    engine_.run(put_default, std::move(parameters));
    return;
  }
  const std::string id = resource_id(tenant, resource);
  Parameters reference(tenant, id);
  add_reference(reference, resource);
  reference.add(now);
  Parameters own(tenant, set_at, id, now);
  add_policy(own, policy);
  std::vector<Call> calls;
  calls.push_back(
      {"INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, api_version, "
       "kind, namespace, name, created_at, last_seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, "
       "$9) ON CONFLICT DO NOTHING",
       std::move(reference)});
  calls.push_back({put_own, std::move(own)});
  engine_.run(std::move(calls));
}

std::vector<RetentionGroup> PostgresRetentionStore::groups(std::string_view after, bool own, int limit) {
  static const std::string order = " AND h.resource_id > $2 ORDER BY h.resource_id LIMIT $3";
  static const std::string all = sql::select_groups() + "$1" + order;
  static const std::string with_policy = sql::select_groups() + "$1 AND h.policy_set_at IS NOT NULL" + order;
  Parameters parameters(engine_.tenant());
  parameters.add_text(after).add(std::int64_t{limit});
  const Result result = engine_.run(own ? with_policy : all, std::move(parameters));
  return read_rows(result, sql::read_group<Reader>);
}

RetentionGroup PostgresRetentionStore::group(std::string_view resource_id) {
  static const std::string text = sql::select_groups() + "$1 AND h.resource_id = $2";
  RetentionGroup group;
  group.resource_id = resource_id;
  if (resource_id.empty()) {
    const Result result = engine_.run(
        "SELECT count(*) FROM resource_action_traces WHERE tenant_id = $1 AND resource_id IS NULL",
        Parameters(engine_.tenant()), Plan::once);
    if (Reader reader(result); reader.next()) reader.read(group.total);
    return group;
  }
  const Result result = engine_.run(text, Parameters(engine_.tenant(), resource_id));
  Reader reader(result);
  return reader.next() ? sql::read_group(reader) : group;
}

RetentionFacts PostgresRetentionStore::facts(std::string_view resource_id,
                                             const RetentionQuestion& question) {
  const std::string& tenant = engine_.tenant();
  const std::string candidates = fmt::format(
      "SELECT action_id, action_timestamp, execution_status, effectiveness_score, owner IS NOT NULL AND {} FROM "
      "resource_action_traces AS t WHERE tenant_id = $1 AND {} AND action_timestamp < $3 "
      "ORDER BY action_timestamp, action_id LIMIT $4",
      sql::held_by_name("t"), of_group(resource_id));
  const std::string best = fmt::format(
      "SELECT action_id FROM resource_action_traces WHERE tenant_id = $1 AND {} AND "
      "effectiveness_score IS NOT NULL ORDER BY effectiveness_score DESC, "
      "action_timestamp DESC, action_id DESC LIMIT $3",
      of_group(resource_id));
  // A detection of a resource is found by its scope; one of a correlation or a session names the resources.
  constexpr std::string_view cited =
      "SELECT id FROM (SELECT matching_actions, in_force_until, resolved_at, row_number() OVER (PARTITION BY "
      "pattern_id ORDER BY detected_at DESC, detection_id DESC) AS newest FROM oscillation_detections WHERE "
      "tenant_id = $1 AND (scope = $2 OR ((scope >= 'correlation:' AND scope < 'correlation;' OR "
      "scope >= 'session:' AND scope < 'session;') AND position($3 IN resources) > 0))) AS found, "
      "json_array_elements_text(matching_actions::json) AS id "
      "WHERE newest <= $4 OR (in_force_until > $5 AND resolved_at IS NULL)";
  const std::string named = resource_id.empty() ? "[]" : fmt::format("\"{}\"", resource_id);
  RetentionFacts facts;
  std::vector<Call> calls;
  calls.push_back({candidates,
                   Parameters(tenant, resource_id, question.before, std::int64_t{question.limit} + 1),
                   Plan::once});
  calls.push_back({cited,
                   Parameters(tenant, fmt::format("resource:{}", resource_id), named,
                              std::int64_t{question.examples}, question.now),
                   Plan::once});
  if (question.best > 0)
    calls.push_back({best, Parameters(tenant, resource_id, std::int64_t{question.best}), Plan::once});
  const std::vector<Result> results = engine_.run(std::move(calls));
  facts.candidates = read_rows(results[0], sql::read_candidate<Reader>);
  if (facts.candidates.size() > static_cast<std::size_t>(question.limit)) {
    facts.candidates.pop_back();
    facts.more = true;
  }
  facts.cited = read_ids(results[1]);
  if (question.best > 0) facts.best = read_ids(results[2]);
  // Each statement sees its own moment, and another run may be at it. Counted last, what that run removed meanwhile is
  // missing here and nothing too much goes; counted first, it would go twice, the second time from what is to stay.
  facts.total = group(resource_id).total;
  return facts;
}

bool PostgresRetentionStore::held(std::span<const ExpiringAction> actions) {
  if (actions.empty()) return false;
  static const std::string text = fmt::format(
      "SELECT FROM resource_action_traces AS t WHERE tenant_id = $1 AND action_id = ANY($2) AND action_timestamp BETWEEN "
      "$3 AND $4 AND owner IS NOT NULL AND {} LIMIT 1",
      sql::held_by_name("t"));
  const Chosen chosen(actions);
  const Result result =
      engine_.run(text, Parameters(engine_.tenant(), chosen.ids, chosen.first, chosen.last), Plan::once);
  return Reader(result).next();
}

std::int64_t PostgresRetentionStore::remove(std::string_view resource_id,
                                            std::span<const ExpiringAction> actions, bool compact,
                                            TimePoint now) {
  if (actions.empty()) return 0;
  const Chosen chosen(actions);
  const auto chosen_by = [&] {
    return Parameters(engine_.tenant(), resource_id, chosen.ids, chosen.first, chosen.last);
  };
  // Locked in the order of PostgresActionStore::remove: the traces, their history, the heads, the ids. A second run
  // that removes the same waits for the traces, and then finds nothing.
  std::vector<Call> calls;
  calls.push_back({lock_chosen(), chosen_by(), Plan::once});
  calls.push_back({"SELECT FROM action_histories WHERE tenant_id = $1 AND resource_id = $2 FOR UPDATE",
                   Parameters(engine_.tenant(), resource_id)});
  calls.push_back({move_heads_of_chosen(), chosen_by(), Plan::once});
  calls.push_back({register_chosen(), chosen_by().add(now), Plan::once});
  if (compact) calls.push_back({compact_chosen(), chosen_by(), Plan::once});
  // The worker finds the traces gone and puts tombstones into the feed.
  calls.push_back({delete_chosen(), chosen_by().add(now), Plan::once});
  calls.push_back({count_gone, Parameters(engine_.tenant(), chosen.ids, now), Plan::once});
  const std::vector<Result> results = engine_.run(std::move(calls));
  Reader reader(results.back());
  return reader.next() ? reader.get<std::int64_t>() : 0;
}

std::vector<CompactedActions> PostgresRetentionStore::compacted(std::string_view resource_id) {
  static const std::string text = fmt::format(
      "SELECT {} FROM compacted_actions WHERE tenant_id = $1 AND resource_id = $2 ORDER BY "
      "period_start, action_type, alert_name",
      sql::compacted_columns());
  Parameters parameters(engine_.tenant());
  parameters.add_text(resource_id);
  const Result result = engine_.run(text, std::move(parameters));
  return read_rows(result, sql::read_compacted<Reader>);
}

std::int64_t PostgresRetentionStore::remove_alerts(TimePoint before, int limit) {
  static const std::string text = fmt::format(
      "DELETE FROM alert_events WHERE (tenant_id, fingerprint, starts_at) IN (SELECT tenant_id, "
      "fingerprint, starts_at FROM alert_events AS a WHERE tenant_id = $1 AND starts_at < $2 AND NOT {} "
      "ORDER BY starts_at LIMIT $3)",
      sql::held_by_name("a"));
  return engine_.run(text, Parameters(engine_.tenant(), before, std::int64_t{limit})).affected();
}

void PostgresRetentionStore::put(const RetentionOperation& operation) {
  static const std::string text = fmt::format(
      "{} ON CONFLICT (tenant_id, operation_id) DO UPDATE SET {}",
      sql::insert_into("retention_operations", sql::operation_columns(), sql::Dialect::postgresql),
      sql::operation_assignments());
  Parameters parameters(engine_.tenant());
  sql::visit_operation(operation, [&]<class T>(std::string_view name, const T& member) {
    if constexpr (std::is_same_v<T, std::string>) {
      if (name != "error_message") {
        parameters.add_text(member);
        return;
      }
    }
    parameters.add(member);
  });
  engine_.run(text, std::move(parameters));
}

void PostgresRetentionStore::give_up(TimePoint before, TimePoint now) {
  engine_.run(
      "UPDATE retention_operations SET operation_status = 'failed', operation_end = updated_at, "
      "operation_duration_ms = floor(extract(epoch FROM updated_at - operation_start) * 1000), "
      "updated_at = $2, error_message = 'interrupted: its process ended' "
      "WHERE tenant_id = $1 AND operation_status = 'running' AND updated_at < $3",
      Parameters(engine_.tenant(), now, before));
}

std::vector<RetentionOperation> PostgresRetentionStore::operations(int limit) {
  static const std::string text = fmt::format(
      "SELECT {} FROM retention_operations WHERE tenant_id = $1 ORDER BY operation_start DESC, operation_id "
      "DESC LIMIT $2",
      sql::operation_columns());
  const Result result = engine_.run(text, Parameters(engine_.tenant(), std::int64_t{limit}));
  return read_rows(result, sql::read_operation<Reader>);
}

}  // namespace actionhist::postgres
