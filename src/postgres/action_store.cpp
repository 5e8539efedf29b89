#include "postgres/action_store.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/hash.hpp"
#include "core/same_action.hpp"
#include "core/trace_fields.hpp"
#include "postgres/fresh_insert.hpp"
#include "postgres/insert_statement.hpp"
#include "postgres/reads.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {
namespace {

// A commit whose answer was lost is sent again, and finds what it stored itself.
bool same_call(const Trace& sent, const Trace& stored) {
  return sent.created_at == stored.created_at && sent.updated_at == stored.updated_at &&
         static_cast<const Action&>(sent) == static_cast<const Action&>(stored);
}

// An id that holds another time than its action's may have been stored at that time.
bool may_be_elsewhere(const Trace& trace) {
  return !carries_its_time(trace) && time_inside(trace.action_id).has_value();
}

std::optional<Trace> first_trace(const std::vector<Result>& results) {
  for (const Result& result : results) {
    std::vector<Trace> traces = read_traces(result);
    if (!traces.empty()) return std::move(traces.front());
  }
  return std::nullopt;
}

}  // namespace

std::vector<Trace> PostgresActionStore::insert(std::span<const Trace> traces) {
  if (traces.empty()) return {};
  std::vector<const Trace*> rows;  // the first of each id
  std::unordered_map<std::string_view, std::size_t> first;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    if (first.emplace(traces[i].action_id, i).second) rows.push_back(&traces[i]);
  }
  std::vector<Trace> answer(traces.begin(), traces.end());
  for (Trace& trace : answer) {
    trace.stored = true;
    engine_.guard_cache().forget(scopes_of(trace));
  }
  if (!insert_fresh(rows)) {
    // That an id was deleted is seen afterwards, and then the others must not be there either.
    engine_.transaction([&] {
      for (Trace& known : insert_known(rows)) {
        const std::size_t place = first.at(known.action_id);
        known.stored = same_call(traces[place], known);
        answer[place] = std::move(known);
      }
    });
  }
  for (std::size_t i = 0; i < traces.size(); ++i) {
    const std::size_t original = first.at(traces[i].action_id);
    if (original == i) continue;
    answer[i] = answer[original];
    answer[i].stored = false;
  }
  return answer;
}

// Stores all if no id is taken; false if some may be, and then nothing is stored.
bool PostgresActionStore::insert_fresh(std::span<const Trace* const> rows) {
  // A failed statement ends a transaction, so there it has to be one that can run again.
  if (engine_.in_transaction() && !engine_.assuming()) return false;
  if (std::ranges::any_of(rows, [](const Trace* trace) { return may_be_elsewhere(*trace); })) return false;
  // Many are worth a transaction of their own, and a single one should not wait for them.
  const bool shared = !engine_.in_transaction() && rows.size() == 1;
  const auto send = [&](SharedInsert::Rows all, const GuardedHeads*) {
    std::vector<TimePoint> times;
    for (const Trace* trace : all) times.push_back(trace->time());
    std::vector<Call> calls;
    const bool known = add_fresh_insert(calls, engine_.tenant(), all, engine_.known_resources());
    const auto results = shared ? engine_.store_once(times, calls) : engine_.store(times, calls);
    // A transaction that is open may still be rolled back, and its resources with it.
    if (!known && !engine_.in_transaction()) note_resources(engine_.known_resources(), all, results);
  };
  try {
    shared ? engine_.share(rows, send) : send(rows, nullptr);
  } catch (const ServerError& error) {
    if (engine_.in_transaction() || !is_taken(error)) throw;
    engine_.known_resources().forget();
    return false;
  }
  return true;
}

// Stores those that are new, and returns what is stored of the others. REQUIRES: inside a transaction.
std::vector<Trace> PostgresActionStore::insert_known(std::vector<const Trace*> rows) {
  std::vector<std::string> wanted;
  for (const Trace* trace : rows) {
    if (may_be_elsewhere(*trace)) wanted.push_back(trace->action_id);
  }
  std::vector<Trace> known = get(wanted);
  std::set<std::string_view> elsewhere;
  for (const Trace& trace : known) elsewhere.insert(trace.action_id);
  std::erase_if(rows, [&](const Trace* trace) { return elsewhere.contains(trace->action_id); });
  if (rows.empty()) return known;
  std::vector<TimePoint> times;
  for (const Trace* trace : rows) times.push_back(trace->time());
  const std::vector<Result> results =
      engine_.store(times, {{insert_statement(), insert_parameters(engine_.tenant(), rows), Plan::once}});
  std::set<std::string> fresh;
  for (Reader reader(results.front()); reader.next();) fresh.insert(reader.get<std::string>());
  std::vector<std::string> taken;
  std::erase_if(rows, [&](const Trace* trace) {
    if (fresh.contains(trace->action_id)) return false;
    taken.push_back(trace->action_id);
    return true;
  });
  std::vector<Trace> stored = get(taken);
  std::set<std::string_view> answered;
  for (const Trace& trace : stored) answered.insert(trace.action_id);
  for (const std::string& id : taken) {
    if (answered.contains(id)) continue;
    throw Error(ErrorCode::conflict, fmt::format("action_id: \"{}\" was deleted and stays taken", id));
  }
  std::ranges::move(stored, std::back_inserter(known));
  std::vector<Call> calls;
  add_resources(calls, engine_.tenant(), rows);
  if (!calls.empty()) engine_.run(std::move(calls));
  return known;
}

void PostgresActionStore::insert_new(const RecentTrace& recent) {
  const Trace& trace = *recent;
  const Trace* const row = &trace;
  if (!engine_.assuming() || may_be_elsewhere(trace)) {
    // Another proposal may have taken the id under the lock of another resource.
    refuse_another_action(trace, insert({row, 1}).front());
    return;
  }
  engine_.ensure_months({&trace.action_timestamp.value(), 1});
  if (engine_.presuming()) {
    engine_.store_with_commit(recent);
    return;
  }
  std::vector<Call> calls;
  add_fresh_insert(calls, engine_.tenant(), {&row, 1}, engine_.known_resources());
  for (Call& call : calls) engine_.put_off(std::move(call));
}

std::optional<Trace> PostgresActionStore::get(std::string_view action_id) {
  std::vector<Call> calls;
  ask_action(calls, engine_.tenant(), action_id);
  // It takes no lock, so it does not matter whether the transaction has begun.
  const bool ahead = engine_.in_transaction() && !engine_.presuming();
  return first_trace(ahead ? engine_.read_ahead(std::move(calls)) : engine_.run(std::move(calls)));
}

std::vector<Trace> PostgresActionStore::get(std::span<const std::string> action_ids) {
  if (action_ids.empty()) return {};
  std::vector<Call> calls{ask_actions(engine_.tenant(), action_ids)};
  return read_traces(engine_.run(std::move(calls)).front());
}

std::optional<Trace> PostgresActionStore::get_to_update(std::string_view action_id) {
  // Then update() fails if somebody was faster, and the transaction runs again with the lock.
  if (engine_.assuming()) return get(action_id);
  std::vector<Call> calls;
  ask_action(calls, engine_.tenant(), action_id, true);
  return first_trace(engine_.run(std::move(calls)));
}

// Each statement by itself: one for all would be planned anew for each action, which takes longer than the rest.
void PostgresActionStore::update(const Trace& trace, const Trace& before) {
  static const std::string change = [] {
    int parameter = 5;
    std::string assignments;
    visit_outcome(Outcome{}, [&](std::string_view name, const auto&) {
      assignments += fmt::format("{} = ${}, ", name, ++parameter);
    });
    return fmt::format(
        "WITH trace AS (UPDATE resource_action_traces SET {}follow_up_actions = ${}, updated_at = ${} "
        "WHERE tenant_id = $1 AND action_id = $2 AND action_timestamp = $3 AND updated_at = $4 AND "
        "execution_status = $5 RETURNING action_id) SELECT 1 / count(*) FROM trace",
        assignments, parameter + 1, parameter + 2);
  }();
  const std::string& tenant = engine_.tenant();
  std::vector<Call> calls;
  if (!trace.resource_id.empty()) {
    calls.push_back(
        {"UPDATE action_histories SET updated_at = $3, version = version + 1 WHERE tenant_id = $1 AND resource_id = $2",
         Parameters(tenant, trace.resource_id, trace.updated_at)});
  }
  if (const auto scopes = head_scopes(trace); !scopes.empty()) calls.push_back(move_heads(tenant, scopes));
  Parameters parameters(tenant, trace.action_id, trace.time(), before.updated_at, before.outcome.status);
  visit_outcome(trace.outcome, [&](std::string_view, const auto& member) { parameters.add(member); });
  parameters.add(trace.follow_up_actions);
  parameters.add(trace.updated_at);
  calls.push_back({change, std::move(parameters)});
  calls.push_back(
      {"INSERT INTO embedding_queue AS q (tenant_id, subject_id, version, enqueued_at) VALUES ($1, $2, 1, $3) "
       "ON CONFLICT (tenant_id, subject_id) DO UPDATE SET version = q.version + 1, attempts = 0, last_error = NULL",
       Parameters(tenant, trace.action_id, trace.updated_at)});
  if (engine_.assuming()) {
    engine_.expect_change(trace);
    for (Call& call : calls) engine_.put_off(std::move(call));
    return;
  }
  engine_.guard_cache().forget(scopes_of(trace));
  try {
    engine_.run(std::move(calls));
  } catch (const ServerError& error) {
    if (!is_taken(error)) throw;
    throw Error(ErrorCode::not_found, fmt::format("action_id: \"{}\" is not stored", trace.action_id));
  }
}

bool PostgresActionStore::remove(std::string_view action_id, TimePoint now) {
  const auto trace = get(action_id);
  if (!trace) {
    const Result gone =
        engine_.run("SELECT FROM action_ids WHERE tenant_id = $1 AND action_id = $2 AND deleted_at = $3",
                    Parameters(engine_.tenant(), action_id, now), Plan::once);
    return gone.rows() > 0;
  }
  // In the order of record() and of update() under the lock: the trace, its history, the heads, the id. An update()
  // that assumes comes to the trace last; where the two meet, the server ends one, which runs again in this order.
  std::vector<Call> calls;
  calls.push_back(
      {"SELECT FROM resource_action_traces WHERE tenant_id = $1 AND action_id = $2 AND action_timestamp = $3 FOR UPDATE",
       Parameters(engine_.tenant(), action_id, trace->time())});
  calls.push_back({"SELECT FROM action_histories WHERE tenant_id = $1 AND resource_id = $2 FOR UPDATE",
                   Parameters(engine_.tenant(), trace->resource_id)});
  if (const auto scopes = head_scopes(*trace); !scopes.empty())
    calls.push_back(move_heads(engine_.tenant(), scopes));
  // The worker finds the trace gone and puts a tombstone into the feed.
  calls.push_back(
      {"WITH trace AS (DELETE FROM resource_action_traces WHERE tenant_id = $1 AND action_id = $2 AND "
       "action_timestamp = $3 RETURNING action_id, action_timestamp, resource_id), "
       "taken AS (INSERT INTO action_ids (tenant_id, action_id, action_timestamp, deleted_at) "
       "SELECT $1, action_id, action_timestamp, $4 FROM trace ON CONFLICT (tenant_id, action_id) DO UPDATE SET "
       "deleted_at = excluded.deleted_at), "
       "history AS (UPDATE action_histories h SET total_actions = total_actions - 1, updated_at = $4, "
       "version = h.version + 1 FROM trace "
       "WHERE h.tenant_id = $1 AND h.resource_id = trace.resource_id), "
       "queue AS (INSERT INTO embedding_queue AS q (tenant_id, subject_id, version, enqueued_at) "
       "SELECT $1, action_id, 1, $4 FROM trace ON CONFLICT (tenant_id, subject_id) DO UPDATE SET "
       "version = q.version + 1, attempts = 0, last_error = NULL) SELECT count(*) FROM trace",
       Parameters(engine_.tenant(), action_id, trace->time(), now)});
  const std::vector<Result> results = engine_.run(std::move(calls));
  Reader reader(results.back());
  return reader.next() && reader.get<std::int64_t>() > 0;
}

void PostgresActionStore::lock(std::span<const Scope> scopes) {
  if (!engine_.in_transaction()) {
    throw Error(ErrorCode::internal, "lock: is only possible inside a transaction");
  }
  // Nothing needs the answer, and whatever is read next comes after it.
  std::vector<Call> calls;
  add_lock(calls, engine_.tenant(), names_of(scopes));
  for (Call& call : calls) engine_.put_off(std::move(call));
}

}  // namespace actionhist::postgres
