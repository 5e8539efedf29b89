#include "sqlite/pattern_store.hpp"

#include <deque>

#include "core/hash.hpp"
#include "sql/pattern_rows.hpp"
#include "sql/placeholders.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {
namespace {

// Binds a row behind the tenant. Texts that are made for it live as long as the PatternBinder.
class PatternBinder {
 public:
  explicit PatternBinder(Query& query) : query_(query) {}

  template <class Value>
  void operator()(std::string_view, const Value& value) {
    query_.bind(value);
  }
  void operator()(std::string_view, const std::string& text) { query_.bind(kept_.emplace_back(text)); }
  void operator()(std::string_view, const sql::Required& value) { query_.bind_text(value.text); }

 private:
  Query& query_;
  std::deque<std::string> kept_;
};

// " AND scope IN (?, …)", or nothing when no scope is asked for.
std::string scope_condition(std::span<const Scope> scopes) {
  if (scopes.empty()) return {};
  std::string text = " AND scope IN (?";
  for (std::size_t i = 1; i < scopes.size(); ++i) text += ", ?";
  return text + ")";
}

std::vector<Detection> read_detections(Query& query) { return read_rows(query, sql::read_detection<Query>); }

std::vector<std::string> names_of(std::span<const Scope> scopes) {
  std::vector<std::string> names;
  for (const Scope& scope : scopes) names.push_back(to_string(scope));
  return names;
}

}  // namespace

std::vector<Pattern> SqlitePatternStore::patterns() {
  return engine_.read([&](Connection& connection) {
    Query query(connection, "SELECT " + sql::pattern_columns() +
                                " FROM oscillation_patterns WHERE tenant_id = ? ORDER BY pattern_id");
    query.bind(engine_.tenant());
    return read_rows(query, sql::read_pattern<Query>);
  });
}

void SqlitePatternStore::put(const Pattern& pattern) {
  static const std::string text =
      sql::insert_into("oscillation_patterns", sql::pattern_columns(), sql::Dialect::sqlite) +
      " ON CONFLICT DO UPDATE SET " + sql::pattern_assignments();
  engine_.write([&](Connection& connection) {
    Query query(connection, text);
    query.bind(engine_.tenant());
    PatternBinder binder(query);
    sql::visit_pattern(pattern, binder);
    query.run();
  });
}

bool SqlitePatternStore::remove(std::string_view pattern_id) {
  return engine_.write([&](Connection& connection) {
    return Query(connection, "DELETE FROM oscillation_patterns WHERE tenant_id = ? AND pattern_id = ?")
               .bind_all(engine_.tenant(), pattern_id)
               .run() > 0;
  });
}

bool SqlitePatternStore::shipped() {
  return engine_.read([&](Connection& connection) {
    return Query(connection, "SELECT 1 FROM shipped_patterns WHERE tenant_id = ?")
        .bind(engine_.tenant())
        .step();
  });
}

bool SqlitePatternStore::mark_shipped(TimePoint now) {
  return engine_.write([&](Connection& connection) {
    return Query(connection,
                 "INSERT INTO shipped_patterns (tenant_id, shipped_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
               .bind_all(engine_.tenant(), now)
               .run() > 0;
  });
}

Detection SqlitePatternStore::put(const Detection& detection) {
  Detection d = detection;
  const bool fresh = d.detection_id.empty();
  if (fresh) d.detection_id = uuid_v7(d.as_of);
  static const std::string text =
      sql::insert_into("oscillation_detections", sql::detection_columns(), sql::Dialect::sqlite) +
      " ON CONFLICT DO UPDATE SET " + sql::detection_assignments();
  engine_.write([&](Connection& connection) {
    Query query(connection, text);
    query.bind(engine_.tenant());
    PatternBinder binder(query);
    sql::visit_detection(d, binder);
    query.run();
    if (!fresh) return;
    Query(connection,
          "UPDATE oscillation_patterns SET total_detections = total_detections + 1, "
          "last_detection_at = ? WHERE tenant_id = ? AND pattern_id = ?")
        .bind_all(d.as_of, engine_.tenant(), d.pattern_id)
        .run();
  });
  return d;
}

std::vector<Detection> SqlitePatternStore::in_force(std::span<const Scope> scopes, TimePoint now) {
  const std::vector<std::string> names = names_of(scopes);
  return engine_.read([&](Connection& connection) {
    Query query(connection, std::string("SELECT ") + sql::detection_columns() +
                                " FROM oscillation_detections WHERE tenant_id = ? AND in_force_until > ? AND "
                                "resolved_at IS NULL" +
                                scope_condition(scopes) +
                                " ORDER BY detected_at, scope, pattern_id, detection_id");
    query.bind_all(engine_.tenant(), now);
    for (const std::string& name : names) query.bind(name);
    return read_detections(query);
  });
}

std::optional<Detection> SqlitePatternStore::detection(std::string_view detection_id) {
  return engine_.read([&](Connection& connection) -> std::optional<Detection> {
    Query query(connection, "SELECT " + sql::detection_columns() +
                                " FROM oscillation_detections WHERE tenant_id = ? AND detection_id = ?");
    query.bind_all(engine_.tenant(), detection_id);
    if (!query.step()) return std::nullopt;
    return sql::read_detection(query);
  });
}

std::vector<Detection> SqlitePatternStore::detections(const DetectionQuery& wanted) {
  std::string text =
      "SELECT " + sql::detection_columns() +
      " FROM oscillation_detections WHERE tenant_id = ? AND detected_at >= ? AND detected_at < ?";
  if (!wanted.scope.empty()) text += " AND scope = ?";
  // Few are unresolved: then their own index is to be taken, not that of all detections of the pattern.
  if (!wanted.pattern_id.empty()) text += wanted.unresolved ? " AND +pattern_id = ?" : " AND pattern_id = ?";
  if (wanted.unresolved) text += " AND resolved_at IS NULL";
  text += " ORDER BY detected_at DESC, scope, pattern_id, detection_id LIMIT ?";
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    query.bind_all(engine_.tenant(), wanted.since.value_or(TimePoint{}),
                   wanted.until.value_or(TimePoint::max()));
    if (!wanted.scope.empty()) query.bind(wanted.scope);
    if (!wanted.pattern_id.empty()) query.bind(wanted.pattern_id);
    query.bind(wanted.limit);
    return read_detections(query);
  });
}

}  // namespace actionhist::sqlite
