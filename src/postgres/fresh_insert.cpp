#include "postgres/fresh_insert.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "postgres/insert_statement.hpp"
#include "postgres/trace_rows.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {
namespace {

// A single action gets values where many get arrays: a set of rows costs the server as much as the row itself.
using Traces = std::vector<const Trace*>;

std::vector<std::string_view> ids_of(const Traces& traces) {
  std::vector<std::string_view> ids;
  for (const Trace* trace : traces) ids.emplace_back(trace->action_id);
  return ids;
}

// Moves versions, and fails unless each was the one of the parameter. `move` returns the keys and the new versions; of
// its parameters $2 has the keys and $3 by how much they move.
std::string guard(std::string_view key, std::string_view move, int versions_at) {
  return fmt::format(
      "WITH moved AS ({1}) SELECT 1 / (CASE WHEN count(*) = cardinality($2) THEN 1 ELSE 0 END) FROM moved JOIN "
      "unnest($2, ${2}::int8[], $3) AS known(key, version, moves) ON moved.{0} = known.key AND moved.version = "
      "known.version + known.moves",
      key, move, versions_at);
}

// `described`: the call fails where there is no history yet.
void add_histories(std::vector<Call>& calls, const std::string& tenant, const Traces& traces,
                   const GuardedHeads* heads, bool described) {
  struct Sum {
    std::int64_t count = 0;
    TimePoint last{}, created{};
  };
  std::map<std::string_view, Sum> sums;
  for (const Trace* trace : traces) {
    if (trace->resource_id.empty()) continue;
    Sum& sum = sums[trace->resource_id];
    ++sum.count;
    sum.last = std::max(sum.last, trace->time());
    sum.created = std::max(sum.created, trace->created_at);
  }
  if (sums.empty()) return;
  constexpr std::string_view form =
      "INSERT INTO action_histories AS h (tenant_id, resource_id, total_actions, last_action_at, created_at, "
      "updated_at, version) {} ON CONFLICT (tenant_id, resource_id) DO UPDATE SET "
      "total_actions = h.total_actions + excluded.total_actions, "
      "last_action_at = greatest(h.last_action_at, excluded.last_action_at), "
      "updated_at = excluded.updated_at, version = h.version + excluded.version RETURNING ";
  constexpr std::string_view single = "VALUES ($1, $2, $3, $4, $5, $5, $3)";
  // Only a row that was there has been locked to be changed.
  constexpr std::string_view was_there = "1 / (CASE WHEN h.xmax = 0 THEN 0 ELSE 1 END)";
  constexpr std::string_view server = "pg_postmaster_start_time()";
  static const std::string one = fmt::format(form, single).append(server);
  static const std::string one_more = fmt::format(form, single).append(was_there);
  static const std::string guarded =
      fmt::format(form, single) + "1 / (CASE WHEN h.version = $6 + $3 THEN 1 ELSE 0 END)";
  static const std::string all = fmt::format(
      form,
      "SELECT $1, id, n, last, made, made, n FROM unnest($2::text[], $3::int8[], $4::timestamptz[], "
      "$5::timestamptz[]) AS i(id, n, last, made)");
  static const std::string many = std::string(all).append(server);
  static const std::string many_more = std::string(all).append(was_there);
  static const std::string many_guarded = guard("resource_id", all + "resource_id, version", 6);
  if (sums.size() == 1) {
    const auto& [id, sum] = *sums.begin();
    Parameters parameters(tenant, id, sum.count, sum.last, sum.created);
    if (heads) parameters.add(heads->histories.of(id).value_or(0));
    calls.push_back({heads ? guarded : described ? one_more : one, std::move(parameters)});
    return;
  }
  std::vector<std::string_view> ids;
  std::vector<std::int64_t> counts;
  std::vector<TimePoint> last, created;
  std::vector<std::int64_t> versions;
  for (const auto& [id, sum] : sums) {
    if (heads) versions.push_back(heads->histories.of(id).value_or(0));
    ids.push_back(id);
    counts.push_back(sum.count);
    last.push_back(sum.last);
    created.push_back(sum.created);
  }
  Parameters parameters(tenant);
  parameters.add_nullable_texts(ids).add(counts).add(last).add(created);
  if (heads) parameters.add(versions);
  calls.push_back({heads ? many_guarded : described ? many_more : many, std::move(parameters)});
}

void add_heads(std::vector<Call>& calls, const std::string& tenant, const Traces& traces,
               const GuardedHeads* heads) {
  if (heads) {
    static const std::string guarded = guard(
        "scope",
        "INSERT INTO guard_heads AS h (tenant_id, scope, version) SELECT $1, scope, moves FROM unnest($2::text[], "
        "$3::int8[]) AS wanted(scope, moves) ON CONFLICT (tenant_id, scope) DO UPDATE SET version = h.version + "
        "excluded.version RETURNING scope, version",
        4);
    const auto& [scopes, versions, moves] = heads->scopes;
    if (!scopes.empty()) calls.push_back({guarded, Parameters(tenant, scopes, moves, versions)});
    return;
  }
  std::set<std::string> scopes;
  for (const Trace* trace : traces) {
    for (std::string& scope : head_scopes(*trace)) scopes.insert(std::move(scope));
  }
  if (!scopes.empty()) calls.push_back(move_heads(tenant, {scopes.begin(), scopes.end()}));
}

void add_ids(std::vector<Call>& calls, const std::string& tenant, const Traces& traces) {
  std::vector<std::string_view> ids;
  std::vector<TimePoint> times;
  for (const Trace* trace : traces) {
    if (carries_its_time(*trace)) continue;
    ids.emplace_back(trace->action_id);
    times.push_back(trace->time());
  }
  if (ids.empty()) return;
  if (ids.size() == 1) {
    calls.push_back({"INSERT INTO action_ids (tenant_id, action_id, action_timestamp) VALUES ($1, $2, $3)",
                     Parameters(tenant, ids.front(), times.front())});
    return;
  }
  Parameters parameters(tenant);
  parameters.add_nullable_texts(ids).add(times);
  calls.push_back(
      {"INSERT INTO action_ids (tenant_id, action_id, action_timestamp) SELECT $1, id, at FROM "
       "unnest($2::text[], $3::timestamptz[]) AS i(id, at)",
       std::move(parameters)});
}

// What must not be, or the statement fails: an id that was deleted, another server, another watch.
constexpr std::string_view fail_if = "1 / (CASE WHEN {} THEN 0 ELSE 1 END)";

// That what is watched for is not at the version of the parameter.
std::string watch_moved(std::ptrdiff_t parameter) {
  return fmt::format(
      "coalesce((SELECT version FROM guard_heads WHERE tenant_id = $1 AND scope = 'watch'), 0) <> ${}",
      parameter);
}

void add_trace_row(std::vector<Call>& calls, const std::string& tenant, const Trace& trace,
                   std::optional<TimePoint> server, const GuardedHeads* heads) {
  static const std::array<std::string, 4> texts = [] {
    std::array<std::string, 4> all;
    const auto server_at = 3 + std::ranges::count(sql::trace_columns(), ',');
    for (const bool registers : {false, true}) {
      for (const bool guarded : {false, true}) {
        std::string wrong = fmt::format("pg_postmaster_start_time() <> ${}::timestamptz", server_at);
        if (!registers) {
          wrong += " OR EXISTS (SELECT FROM action_ids WHERE tenant_id = $1 AND action_id = $2)";
        }
        if (guarded) wrong += " OR " + watch_moved(server_at + 1);
        all[(registers ? 1u : 0u) + (guarded ? 2u : 0u)] =
            fmt::format("INSERT INTO resource_action_traces (tenant_id, {}) SELECT $1, {} WHERE {} = 1",
                        sql::trace_columns(), trace_values(), fmt::format(fail_if, wrong));
      }
    }
    return all;
  }();
  Parameters parameters(tenant);
  add_trace(parameters, trace);
  parameters.add(heads ? std::optional(heads->server) : server);
  if (heads) parameters.add(heads->watch);
  calls.push_back({texts[(carries_its_time(trace) ? 0u : 1u) + (heads ? 2u : 0u)], std::move(parameters)});
}

void add_trace_rows(std::vector<Call>& calls, const std::string& tenant, const Traces& traces,
                    std::optional<TimePoint> server, const GuardedHeads* heads) {
  static const std::array<std::string, 2> texts = [] {
    std::array<std::string, 2> all;
    const auto own_at = 3 + std::ranges::count(sql::trace_columns(), ',');
    for (const bool guarded : {false, true}) {
      // Behind a SELECT the server guesses the same number of ids whatever the parameter is, and so keeps its plan.
      std::string wrong = fmt::format(
          "pg_postmaster_start_time() <> ${}::timestamptz OR EXISTS (SELECT FROM action_ids WHERE tenant_id = $1 AND "
          "action_id = ANY((SELECT ${}::text[])::text[]))",
          own_at + 1, own_at);
      if (guarded) wrong += " OR " + watch_moved(own_at + 2);
      all[guarded ? 1 : 0] = fmt::format(
          "INSERT INTO resource_action_traces (tenant_id, {0}) SELECT $1, i.* FROM unnest({1}) AS i({0}) "
          "WHERE {2} = 1",
          sql::trace_columns(), trace_arrays(), fmt::format(fail_if, wrong));
    }
    return all;
  }();
  Traces own;
  std::ranges::copy_if(traces, std::back_inserter(own),
                       [](const Trace* trace) { return carries_its_time(*trace); });
  Parameters parameters(tenant);
  add_traces(parameters, traces);
  parameters.add_nullable_texts(ids_of(own)).add(heads ? std::optional(heads->server) : server);
  if (heads) parameters.add(heads->watch);
  calls.push_back({texts[heads ? 1 : 0], std::move(parameters)});
}

void add_queue_rows(std::vector<Call>& calls, const std::string& tenant, const Traces& traces) {
  if (traces.size() == 1) {
    calls.push_back(
        {"INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) VALUES ($1, $2, 1, $3)",
         Parameters(tenant, traces.front()->action_id, traces.front()->created_at)});
    return;
  }
  std::vector<TimePoint> created;
  for (const Trace* trace : traces) created.push_back(trace->created_at);
  Parameters parameters(tenant);
  parameters.add_nullable_texts(ids_of(traces)).add(created);
  calls.push_back(
      {"INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) SELECT $1, id, 1, at FROM "
       "unnest($2::text[], $3::timestamptz[]) AS i(id, at)",
       std::move(parameters)});
}

// By time, so that a resource is described as it was first seen.
Traces first_seen(std::span<const Trace* const> traces) {
  Traces known(traces.begin(), traces.end());
  std::erase_if(known, [](const Trace* trace) { return trace->resource_id.empty(); });
  std::ranges::sort(known, {}, [](const Trace* trace) { return std::pair(trace->time(), trace->action_id); });
  return known;
}

}  // namespace

void add_resources(std::vector<Call>& calls, const std::string& tenant,
                   std::span<const Trace* const> traces) {
  std::map<std::string_view, const Trace*> resources;
  std::map<std::pair<std::string_view, std::string_view>, const Trace*> incarnations;
  std::set<std::pair<std::string_view, std::string_view>> owned;
  for (const Trace* trace : traces) {
    const Resource& r = trace->resource;
    if (!trace->owner.empty() && !r.kind.empty() && !r.name.empty()) owned.emplace(r.kind, r.name);
  }
  for (const Trace* trace : first_seen(traces)) {
    resources.emplace(trace->resource_id, trace);
    // The uid is that of the thing acted on, not of its owner.
    const bool own = guarded_resource(*trace) == trace->resource;
    if (own && !trace->resource.uid.empty())
      incarnations.try_emplace({trace->resource_id, trace->resource.uid}, trace);
  }
  if (!resources.empty()) {
    std::vector<std::string> ids;
    std::array<std::vector<std::string>, 6> parts;
    std::vector<TimePoint> times;
    for (const auto& [id, trace] : resources) {
      const Resource r = guarded_resource(*trace);
      ids.emplace_back(id);
      std::size_t part = 0;
      for (const std::string* text :
           {&r.cluster, &r.api_group, &r.api_version, &r.kind, &r.namespace_, &r.name}) {
        parts[part++].push_back(*text);
      }
      times.push_back(trace->time());
    }
    Parameters parameters(tenant, ids);
    for (const auto& part : parts) parameters.add(part);
    parameters.add(times);
    calls.push_back(
        {"INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, api_version, kind, namespace, "
         "name, created_at, last_seen) SELECT $1, i.*, i.at FROM unnest($2::text[], $3::text[], $4::text[], "
         "$5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[]) AS i(id, cluster, api_group, "
         "api_version, kind, namespace, name, at) ON CONFLICT DO NOTHING",
         std::move(parameters)});
  }
  if (!incarnations.empty()) {
    std::vector<std::string> ids, uids, versions;
    std::vector<TimePoint> times;
    for (const auto& [key, trace] : incarnations) {
      ids.emplace_back(key.first);
      uids.emplace_back(key.second);
      versions.push_back(trace->resource.api_version);
      times.push_back(trace->time());
    }
    calls.push_back(
        {"INSERT INTO resource_incarnations (tenant_id, resource_id, resource_uid, api_version, created_at, last_seen) "
         "SELECT $1, i.*, i.at FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS i(id, uid, "
         "api_version, at) ON CONFLICT DO NOTHING",
         Parameters(tenant, ids, uids, versions, times)});
  }
  if (!owned.empty()) {
    std::vector<std::string> kinds, names;
    for (const auto& [kind, name] : owned) {
      kinds.emplace_back(kind);
      names.emplace_back(name);
    }
    calls.push_back(
        {"INSERT INTO owned_names (tenant_id, kind, name) SELECT $1, i.* FROM unnest($2::text[], $3::text[]) AS "
         "i(kind, name) ON CONFLICT DO NOTHING",
         Parameters(tenant, kinds, names)});
  }
}

bool add_fresh_insert(std::vector<Call>& calls, const std::string& tenant,
                      std::span<const Trace* const> traces, const KnownResources& known,
                      const GuardedHeads* heads) {
  // Arrays are in order, and so are the rows that are locked.
  Traces sorted(traces.begin(), traces.end());
  std::ranges::sort(sorted, {}, [](const Trace* trace) -> std::string_view { return trace->action_id; });
  const std::optional<TimePoint> server = known.server();
  // What is known was told by the server that is known, of histories that are there.
  const bool described =
      std::ranges::all_of(sorted, [&](const Trace* trace) { return known.contains(*trace); }) &&
      (!heads || (heads->server == server && std::ranges::count(heads->histories.versions, 0) == 0));
  add_histories(calls, tenant, sorted, heads, described);
  add_heads(calls, tenant, sorted, heads);
  if (!described) add_resources(calls, tenant, sorted);
  add_ids(calls, tenant, sorted);
  if (sorted.size() == 1) {
    add_trace_row(calls, tenant, *sorted.front(), server, heads);
  } else {
    add_trace_rows(calls, tenant, sorted, server, heads);
  }
  add_queue_rows(calls, tenant, sorted);
  return described;
}

void note_resources(KnownResources& known, std::span<const Trace* const> traces,
                    std::span<const Result> results) {
  const bool any =
      std::ranges::any_of(traces, [](const Trace* trace) { return !trace->resource_id.empty(); });
  if (!any) return;
  Reader reader(results.front());
  if (!reader.next()) return;
  const auto server = reader.get<TimePoint>();
  for (const Trace* trace : traces) known.add(*trace, server);
}

bool is_taken(const ServerError& error) noexcept {
  constexpr std::string_view division_by_zero = "22012", unique_violation = "23505";
  return error.sqlstate() == division_by_zero || error.sqlstate() == unique_violation;
}

}  // namespace actionhist::postgres
