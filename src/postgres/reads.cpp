#include "postgres/reads.hpp"

#include <array>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/trace_fields.hpp"
#include "sql/learning_rows.hpp"
#include "sql/looked_through.hpp"
#include "sql/pattern_rows.hpp"
#include "sql/resource_rows.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {
namespace {

std::string select(std::string_view columns, std::string_view where) {
  return fmt::format("SELECT {} FROM resource_action_traces WHERE tenant_id = $1 AND {}", columns, where);
}

std::string select_traces(std::string_view where) { return select(sql::trace_columns(), where); }

// The statements of all actions and of those of one effect, each for every ScopeKind in their order.
using RecentTexts = std::array<std::array<std::string, 3>, 2>;

RecentTexts recent_texts(std::string_view columns) {
  constexpr std::string_view latest = "ORDER BY action_timestamp DESC, action_id DESC LIMIT ";
  const auto by = [&](std::string_view key, std::string_view limit) {
    return select(columns,
                  fmt::format("{} = $2 AND action_timestamp BETWEEN $3 AND $4 {}{}", key, latest, limit));
  };
  RecentTexts texts;
  std::size_t kind = 0;
  for (const char* key : {"resource_id", "correlation_id", "session_id"}) {
    texts[0][kind] = by(key, "$5");
    // No index knows the effect.
    texts[1][kind++] = fmt::format("SELECT * FROM ({}) AS newest WHERE effect = $6 {}$5",
                                   by(key, std::to_string(sql::looked_through)), latest);
  }
  return texts;
}

Call recent_call(const RecentTexts& texts, const std::string& tenant, const Scope& scope, TimePoint since,
                 TimePoint until, int limit, std::optional<Effect> effect) {
  Parameters parameters(tenant, scope.key, since, until, std::int64_t{limit});
  if (effect) parameters.add(*effect);
  return {texts[effect ? 1 : 0][static_cast<std::size_t>(scope.kind)], std::move(parameters), Plan::kept};
}

// Whether each of the columns is judged, by its place.
const std::vector<bool>& judged_places() {
  static const std::vector<bool> places = [] {
    std::vector<bool> all;
    visit_columns(Trace{}, [&](std::string_view name, const auto&) { all.push_back(judged(name)); });
    return all;
  }();
  return places;
}

std::string judged_columns() {
  std::string list;
  visit_columns(Trace{}, [&](std::string_view name, const auto&) {
    if (judged(name)) list += fmt::format("{}{}", list.empty() ? "" : ", ", name);
  });
  return list;
}

// Where the action of an id is looked for begins here: before ids held microseconds, an action of that id was stored at
// the millisecond.
std::optional<TimePoint> whole(std::optional<TimePoint> time) {
  if (!time) return std::nullopt;
  return std::chrono::floor<std::chrono::milliseconds>(*time);
}

}  // namespace

void ask_action(std::vector<Call>& calls, const std::string& tenant, std::string_view action_id, bool lock) {
  static const std::string own = select_traces("action_id = $2 AND action_timestamp BETWEEN $3 AND $4");
  static const std::string registered = select_traces(
      "action_id = $2 AND action_timestamp = (SELECT action_timestamp FROM action_ids WHERE "
      "tenant_id = $1 AND action_id = $2 AND deleted_at IS NULL)");
  static const std::string own_locked = own + " FOR UPDATE";
  static const std::string registered_locked = registered + " FOR UPDATE";
  if (const auto time = time_inside(action_id)) {
    calls.push_back({lock ? own_locked : own, Parameters(tenant, action_id, whole(time), *time), Plan::kept});
  }
  calls.push_back({lock ? registered_locked : registered, Parameters(tenant, action_id), Plan::kept});
}

Call ask_actions(const std::string& tenant, std::span<const std::string> action_ids) {
  // Looked up one by one: for a join the planner would rather read all months, and all ids while it does not know
  // how many there are.
  static const std::string text = fmt::format(
      "SELECT {} FROM unnest($2::text[], $3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS wanted (id, since, "
      "own, place), LATERAL (SELECT since, own WHERE own IS NOT NULL UNION SELECT action_timestamp, action_timestamp "
      "FROM action_ids WHERE tenant_id = $1 AND action_id = id AND deleted_at IS NULL) AS known (first, last), LATERAL "
      "(SELECT * FROM resource_action_traces WHERE tenant_id = $1 AND action_id = id AND action_timestamp BETWEEN "
      "first AND last LIMIT 1) AS traces ORDER BY place",
      sql::trace_columns());
  std::vector<std::optional<TimePoint>> since;
  std::vector<std::optional<TimePoint>> times;
  for (const std::string& id : action_ids) {
    times.push_back(time_inside(id));
    since.push_back(whole(times.back()));
  }
  return {text, Parameters(tenant, action_ids, since, times), Plan::kept};
}

std::vector<Trace> read_traces(const Result& result) {
  std::vector<Trace> traces;
  traces.reserve(static_cast<std::size_t>(result.rows()));
  for (Reader reader(result); reader.next();) {
    Trace& trace = traces.emplace_back();
    visit_columns(trace, [&](std::string_view, auto& member) { reader.read(member); });
  }
  return traces;
}

Call ask_recent(const std::string& tenant, const Scope& scope, TimePoint since, TimePoint until, int limit,
                std::optional<Effect> effect) {
  static const RecentTexts texts = recent_texts(sql::trace_columns());
  return recent_call(texts, tenant, scope, since, until, limit, effect);
}

Call ask_judged(const std::string& tenant, const Scope& scope, TimePoint since, TimePoint until, int limit,
                std::optional<Effect> effect) {
  static const RecentTexts texts = recent_texts(judged_columns());
  return recent_call(texts, tenant, scope, since, until, limit, effect);
}

std::vector<RecentTrace> read_judged(const Result& result) {
  const std::vector<bool>& judged = judged_places();
  std::vector<RecentTrace> traces;
  traces.reserve(static_cast<std::size_t>(result.rows()));
  for (int row = result.rows(); row-- > 0;) {
    Row reader = result.row(row);
    Trace trace;
    std::size_t place = 0;
    visit_columns(trace, [&](std::string_view, auto& member) {
      if (judged[place++]) reader.read(member);
    });
    traces.emplace_back(std::move(trace));
  }
  return traces;
}

Call ask_policy(const std::string& tenant, std::string_view resource_id) {
  return {
      "SELECT oscillation_window_minutes, effectiveness_threshold, pattern_min_occurrences "
      "FROM action_histories WHERE tenant_id = $1 AND resource_id = $2",
      Parameters(tenant, resource_id), Plan::kept};
}

GuardPolicy read_policy(const Result& result) {
  Reader reader(result);
  return reader.next() ? sql::read_guard_policy(reader) : GuardPolicy{};
}

Call ask_patterns(const std::string& tenant) {
  static const std::string text = fmt::format(
      "SELECT {} FROM oscillation_patterns WHERE tenant_id = $1 ORDER BY pattern_id", sql::pattern_columns());
  return {text, Parameters(tenant), Plan::kept};
}

std::vector<Pattern> read_patterns(const Result& result) {
  return read_rows(result, sql::read_pattern<Reader>);
}

Call ask_in_force(const std::string& tenant, std::span<const Scope> scopes, TimePoint now) {
  constexpr std::string_view form =
      "SELECT {} FROM oscillation_detections WHERE tenant_id = $1 AND in_force_until > $2 AND resolved_at IS NULL{} "
      "ORDER BY detected_at, scope, pattern_id, detection_id";
  static const std::string all = fmt::format(form, sql::detection_columns(), "");
  static const std::string of_scopes = fmt::format(form, sql::detection_columns(), " AND scope = ANY($3)");
  if (scopes.empty()) return {all, Parameters(tenant, now), Plan::kept};
  return {of_scopes, Parameters(tenant, now, names_of(scopes)), Plan::kept};
}

std::vector<Detection> read_detections(const Result& result) {
  return read_rows(result, sql::read_detection<Reader>);
}

Call ask_alerts(const std::string& tenant, TimePoint since, TimePoint until) {
  return {
      "SELECT fingerprint, starts_at, ends_at, alert_name, severity, labels, cluster, api_group, api_version, "
      "kind, namespace, name, resource_uid FROM alert_events WHERE tenant_id = $1 AND starts_at BETWEEN $2 AND $3 "
      "ORDER BY starts_at, fingerprint",
      Parameters(tenant, since, until), Plan::kept};
}

std::vector<Alert> read_alerts(const Result& result) { return read_rows(result, sql::read_alert<Reader>); }

void ask_earlier_alerts(std::vector<Call>& calls, const std::string& tenant, const EarlierAlertQuery& query) {
  calls.push_back(
      {"SELECT a.fingerprint, firings, latest_end, starts_at, ends_at, cluster, api_group, api_version, kind, "
       "namespace, name, resource_uid FROM (SELECT fingerprint, count(*) AS firings, max(starts_at) AS latest, "
       "max(ends_at) AS latest_end FROM alert_events WHERE tenant_id = $1 AND fingerprint = ANY($2) AND "
       "starts_at >= $3 AND starts_at < $4 GROUP BY fingerprint) AS e JOIN alert_events a ON a.tenant_id = $1 AND "
       "a.fingerprint = e.fingerprint AND a.starts_at = e.latest ORDER BY a.fingerprint",
       Parameters(tenant, query.fingerprints, query.since, query.until), Plan::kept});
  calls.push_back(
      {"SELECT n FROM unnest($2::text[]) AS n WHERE EXISTS (SELECT FROM alert_events WHERE tenant_id = $1 AND "
       "severity = 'critical' AND coalesce(namespace, '') = n AND starts_at >= $3 AND starts_at < $4) "
       "ORDER BY n COLLATE \"C\"",
       Parameters(tenant, query.namespaces, query.since, query.until), Plan::kept});
}

EarlierAlerts read_earlier_alerts(std::span<const Result> results) {
  return {read_rows(results[0], sql::read_earlier_firings<Reader>),
          read_rows(results[1], [](Reader& row) { return row.get<std::string>(); })};
}

std::vector<std::string> names_of(std::span<const Scope> scopes) {
  std::vector<std::string> names;
  for (const Scope& scope : scopes) names.push_back(to_string(scope));
  return names;
}

}  // namespace actionhist::postgres
