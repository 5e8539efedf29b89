#include "postgres/insert_statement.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "postgres/trace_rows.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {
namespace {

std::string make_statement() {
  const std::string& columns = sql::trace_columns();
  const auto registers = 2 + std::ranges::count(columns, ',') + 1;
  std::string text =
      fmt::format("WITH input AS (SELECT * FROM unnest({}, ${}::bool[]) AS input({}, registers))",
                  trace_arrays(), registers, columns);
  text +=
      ", registered AS (INSERT INTO action_ids (tenant_id, action_id, action_timestamp) "
      "SELECT $1, action_id, action_timestamp FROM input WHERE registers ORDER BY action_id "
      "ON CONFLICT DO NOTHING RETURNING action_id)";
  text += fmt::format(
      ", trace AS (INSERT INTO resource_action_traces (tenant_id, {0}) SELECT $1, {0} FROM input WHERE "
      "action_id IN (SELECT action_id FROM registered) OR (NOT registers AND NOT EXISTS (SELECT FROM action_ids a "
      "WHERE a.tenant_id = $1 AND a.action_id = input.action_id)) "
      "ON CONFLICT DO NOTHING RETURNING action_id, action_timestamp, resource_id, created_at)",
      columns);
  text +=
      // A head that moves although nothing was stored costs one reading, no more.
      ", head AS (INSERT INTO guard_heads AS h (tenant_id, scope, version) SELECT $1, scope, 1 FROM (SELECT DISTINCT "
      "scope FROM input, LATERAL (VALUES ('correlation:' || correlation_id), ('session:' || session_id)) AS s(scope) "
      "WHERE scope IS NOT NULL) AS touched ORDER BY scope ON CONFLICT (tenant_id, scope) DO UPDATE SET "
      "version = h.version + 1)"
      ", history AS (INSERT INTO action_histories AS h (tenant_id, resource_id, total_actions, last_action_at, "
      "created_at, updated_at, version) SELECT $1, resource_id, count(*), max(action_timestamp), max(created_at), "
      "max(created_at), 1 FROM trace WHERE resource_id IS NOT NULL GROUP BY resource_id ORDER BY resource_id "
      "ON CONFLICT (tenant_id, resource_id) DO UPDATE SET "
      "total_actions = h.total_actions + excluded.total_actions, "
      "last_action_at = greatest(h.last_action_at, excluded.last_action_at), updated_at = excluded.updated_at, "
      "version = h.version + 1)"
      ", queue AS (INSERT INTO embedding_queue AS q (tenant_id, subject_id, version, enqueued_at) "
      "SELECT $1, action_id, 1, created_at FROM trace ORDER BY action_id "
      "ON CONFLICT (tenant_id, subject_id) DO UPDATE SET version = q.version + 1, attempts = 0, "
      "last_error = NULL) "
      "SELECT action_id FROM trace";
  return text;
}

}  // namespace

bool carries_its_time(const Trace& trace) { return time_inside(trace.action_id) == trace.action_timestamp; }

const std::string& insert_statement() {
  static const std::string text = make_statement();
  return text;
}

Parameters insert_parameters(const std::string& tenant, std::span<const Trace* const> traces) {
  Parameters parameters(tenant);
  add_traces(parameters, traces);
  std::vector<bool> registers;
  for (const Trace* trace : traces) registers.push_back(!carries_its_time(*trace));
  return parameters.add(registers);
}

}  // namespace actionhist::postgres
