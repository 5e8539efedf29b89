#include "postgres/pattern_store.hpp"

#include <fmt/format.h>

#include "core/hash.hpp"
#include "postgres/guard_heads.hpp"
#include "postgres/reads.hpp"
#include "sql/pattern_rows.hpp"
#include "sql/placeholders.hpp"

namespace actionhist::postgres {
namespace {

// A row's parameters behind $1, the tenant.
struct PatternBinder {
  Parameters& parameters;
  template <class Value>
  void operator()(std::string_view, const Value& value) {
    parameters.add(value);
  }
  void operator()(std::string_view, const sql::Required& value) { parameters.add_text(value.text); }
};

}  // namespace

std::vector<Pattern> PostgresPatternStore::patterns() {
  std::vector<Call> calls{ask_patterns(engine_.tenant())};
  return read_patterns(engine_.run(std::move(calls)).front());
}

void PostgresPatternStore::lock() {
  std::vector<Call> calls;
  calls.push_back(move_watch(engine_.tenant()));
  engine_.run(std::move(calls));
}

void PostgresPatternStore::put(const Pattern& pattern) {
  static const std::string text =
      sql::insert_into("oscillation_patterns", sql::pattern_columns(), sql::Dialect::postgresql) +
      " ON CONFLICT (tenant_id, pattern_id) DO UPDATE SET " + sql::pattern_assignments();
  Parameters parameters(engine_.tenant());
  sql::visit_pattern(pattern, PatternBinder{parameters});
  std::vector<Call> calls;
  calls.push_back(move_watch(engine_.tenant()));
  calls.push_back({text, std::move(parameters)});
  engine_.run(std::move(calls));
}

bool PostgresPatternStore::remove(std::string_view pattern_id) {
  std::vector<Call> calls;
  calls.push_back(move_watch(engine_.tenant()));
  calls.push_back({"DELETE FROM oscillation_patterns WHERE tenant_id = $1 AND pattern_id = $2",
                   Parameters(engine_.tenant(), pattern_id)});
  return engine_.run(std::move(calls)).back().affected() > 0;
}

bool PostgresPatternStore::shipped() {
  const Result result =
      engine_.run("SELECT FROM shipped_patterns WHERE tenant_id = $1", Parameters(engine_.tenant()));
  return Reader(result).next();
}

bool PostgresPatternStore::mark_shipped(TimePoint now) {
  return engine_
             .run(
                 "INSERT INTO shipped_patterns (tenant_id, shipped_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                 Parameters(engine_.tenant(), now))
             .affected() > 0;
}

Detection PostgresPatternStore::put(const Detection& detection) {
  Detection d = detection;
  if (d.detection_id.empty()) d.detection_id = uuid_v7(d.as_of);
  // A pattern's counter grows with a row that is new, not with one that is sent again. xmax is zero then.
  static const std::string text =
      "WITH detection AS (" +
      sql::insert_into("oscillation_detections", sql::detection_columns(), sql::Dialect::postgresql) +
      " ON CONFLICT (tenant_id, detection_id) DO UPDATE SET " + sql::detection_assignments() +
      " RETURNING pattern_id, detected_at, (xmax = 0) AS fresh) "
      "UPDATE oscillation_patterns p SET total_detections = total_detections + 1, "
      "last_detection_at = detection.detected_at FROM detection WHERE detection.fresh AND p.tenant_id = $1 AND "
      "p.pattern_id = detection.pattern_id";
  Parameters parameters(engine_.tenant());
  sql::visit_detection(d, PatternBinder{parameters});
  std::vector<Call> calls;
  add_lock(calls, engine_.tenant(), {d.scope});
  engine_.guard_cache().forget({d.scope});
  calls.push_back({text, std::move(parameters)});
  engine_.run(std::move(calls));
  return d;
}

std::vector<Detection> PostgresPatternStore::in_force(std::span<const Scope> scopes, TimePoint now) {
  std::vector<Call> calls{ask_in_force(engine_.tenant(), scopes, now)};
  return read_detections(engine_.run(std::move(calls)).front());
}

std::optional<Detection> PostgresPatternStore::detection(std::string_view detection_id) {
  static const std::string text = "SELECT " + sql::detection_columns() +
                                  " FROM oscillation_detections WHERE tenant_id = $1 AND detection_id = $2";
  std::vector<Detection> found =
      read_detections(engine_.run(text, Parameters(engine_.tenant(), detection_id)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

std::vector<Detection> PostgresPatternStore::detections(const DetectionQuery& query) {
  Parameters parameters(engine_.tenant(), query.since.value_or(TimePoint{}),
                        query.until.value_or(TimePoint::max()), query.limit);
  std::string text =
      "SELECT " + sql::detection_columns() +
      " FROM oscillation_detections WHERE tenant_id = $1 AND detected_at >= $2 AND detected_at < $3";
  const auto add = [&](std::string_view column, const std::string& value) {
    if (value.empty()) return;
    parameters.add(value);
    text += fmt::format(" AND {} = ${}", column, parameters.size());
  };
  add("scope", query.scope);
  add("pattern_id", query.pattern_id);
  if (query.unresolved) text += " AND resolved_at IS NULL";
  text += " ORDER BY detected_at DESC, scope, pattern_id, detection_id LIMIT $4";
  return read_detections(engine_.run(text, std::move(parameters), Plan::once));
}

}  // namespace actionhist::postgres
