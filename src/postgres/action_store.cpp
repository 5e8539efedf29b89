#include <algorithm>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/trace_fields.hpp"
#include "postgres/insert_statement.hpp"
#include "postgres/reads.hpp"
#include "postgres/stores.hpp"
#include "sql/trace_columns.hpp"

namespace actionhist::postgres {
namespace {

// A commit whose answer was lost is sent again, and finds what it stored itself.
bool same_call(const Trace& sent, const Trace& stored) {
  return sent.created_at == stored.created_at && sent.updated_at == stored.updated_at &&
         static_cast<const Action&>(sent) == static_cast<const Action&>(stored);
}

}  // namespace

std::vector<Trace> PostgresActionStore::insert(std::span<const Trace> traces) {
  if (traces.empty()) return {};
  if (traces.size() > 1 && !engine_.in_transaction()) {
    // That an id was deleted is seen afterwards, and then the others must not be there either.
    std::vector<Trace> answer;
    engine_.transaction([&] { answer = insert(traces); });
    return answer;
  }
  std::vector<TimePoint> times;
  std::vector<const Trace*> rows;  // the first of each id
  std::vector<const Trace*> elsewhere;
  std::unordered_map<std::string_view, std::size_t> first;
  InsertShape shape;
  for (std::size_t i = 0; i < traces.size(); ++i) {
    const Trace& trace = traces[i];
    if (!first.emplace(trace.action_id, i).second) continue;
    rows.push_back(&trace);
    times.push_back(trace.time());
    if (carries_its_time(trace)) continue;
    shape.registers = true;
    if (time_inside(trace.action_id)) elsewhere.push_back(&trace);
  }
  shape.many = rows.size() > 1;

  std::vector<Trace> answer(traces.begin(), traces.end());
  for (Trace& trace : answer) trace.stored = true;
  const auto stored_before = [&](const Trace& trace, Trace known) {
    known.stored = same_call(trace, known);
    answer[first.at(trace.action_id)] = std::move(known);
  };
  // An id that holds another time than its action's may have been stored at that time.
  for (const Trace* trace : elsewhere) {
    if (auto known = get(trace->action_id)) {
      std::erase(rows, trace);
      stored_before(*trace, std::move(*known));
    }
  }
  if (!rows.empty()) {
    shape.many = rows.size() > 1;
    const Result result =
        engine_.store(times, insert_statement(shape), insert_parameters(engine_.tenant(), rows, shape),
                      shape.many ? Plan::once : Plan::kept);
    std::set<std::string> fresh;
    Reader reader(result);
    while (reader.next()) fresh.insert(reader.get<std::string>());
    for (const Trace* trace : rows) {
      if (fresh.contains(trace->action_id)) continue;
      auto known = get(trace->action_id);
      if (!known) {
        throw Error(ErrorCode::conflict,
                    fmt::format("action_id: \"{}\" was deleted and stays taken", trace->action_id));
      }
      stored_before(*trace, std::move(*known));
    }
  }
  for (std::size_t i = 0; i < traces.size(); ++i) {
    const std::size_t original = first.at(traces[i].action_id);
    if (original == i) continue;
    answer[i] = answer[original];
    answer[i].stored = false;
  }
  return answer;
}

void PostgresActionStore::insert_new(const Trace& trace) {
  const Trace* const row = &trace;
  const InsertShape shape{.registers = !carries_its_time(trace), .must_be_new = true};
  if (engine_.assuming() && (shape.registers ? !time_inside(trace.action_id) : true)) {
    engine_.ensure_months({&trace.action_timestamp.value(), 1});
    engine_.put_off(
        {insert_statement(shape), insert_parameters(engine_.tenant(), {&row, 1}, shape), Plan::kept});
    return;
  }
  insert({row, 1});
}

std::optional<Trace> PostgresActionStore::get(std::string_view action_id) {
  std::vector<Call> calls;
  ask_action(calls, engine_.tenant(), action_id);
  for (const Result& result : engine_.run(std::move(calls))) {
    std::vector<Trace> traces = read_traces(result);
    if (!traces.empty()) return std::move(traces.front());
  }
  return std::nullopt;
}

void PostgresActionStore::update(const Trace& trace) {
  static const std::string text = [] {
    int parameter = 3;
    std::string assignments;
    visit_outcome(Outcome{}, [&](std::string_view name, const auto&) {
      assignments += fmt::format("{} = ${}, ", name, ++parameter);
    });
    return fmt::format(
        "WITH trace AS (UPDATE resource_action_traces SET {}follow_up_actions = ${}, updated_at = ${} "
        "WHERE tenant_id = $1 AND action_id = $2 AND action_timestamp = $3 RETURNING action_id, resource_id, "
        "updated_at), history AS (UPDATE action_histories h SET updated_at = trace.updated_at FROM trace WHERE "
        "h.tenant_id = $1 AND h.resource_id = trace.resource_id), queue AS (INSERT INTO embedding_queue AS q "
        "(tenant_id, subject_id, version, enqueued_at) SELECT $1, action_id, 1, updated_at FROM trace "
        "ON CONFLICT (tenant_id, subject_id) DO UPDATE SET version = q.version + 1, attempts = 0, "
        "last_error = NULL) SELECT count(*) FROM trace",
        assignments, parameter + 1, parameter + 2);
  }();
  Parameters parameters(engine_.tenant(), trace.action_id, trace.time());
  visit_outcome(trace.outcome, [&](std::string_view, const auto& member) { parameters.add(member); });
  parameters.add(trace.follow_up_actions);
  parameters.add(trace.updated_at);
  const Result result = engine_.run(text, std::move(parameters));
  Reader reader(result);
  if (!reader.next() || reader.get<std::int64_t>() == 0) {
    throw Error(ErrorCode::not_found, fmt::format("action_id: \"{}\" is not stored", trace.action_id));
  }
}

bool PostgresActionStore::remove(std::string_view action_id, TimePoint now) {
  const auto trace = get(action_id);
  if (!trace) return false;
  // The worker finds the trace gone and puts a tombstone into the feed.
  const Result result = engine_.run(
      "WITH trace AS (DELETE FROM resource_action_traces WHERE tenant_id = $1 AND action_id = $2 AND "
      "action_timestamp = $3 RETURNING action_id, action_timestamp, resource_id), "
      "taken AS (INSERT INTO action_ids (tenant_id, action_id, action_timestamp, deleted_at) "
      "SELECT $1, action_id, action_timestamp, $4 FROM trace ON CONFLICT (tenant_id, action_id) DO UPDATE SET "
      "deleted_at = excluded.deleted_at), "
      "history AS (UPDATE action_histories h SET total_actions = total_actions - 1, updated_at = $4 FROM trace "
      "WHERE h.tenant_id = $1 AND h.resource_id = trace.resource_id), "
      "queue AS (INSERT INTO embedding_queue AS q (tenant_id, subject_id, version, enqueued_at) "
      "SELECT $1, action_id, 1, $4 FROM trace ON CONFLICT (tenant_id, subject_id) DO UPDATE SET "
      "version = q.version + 1, attempts = 0, last_error = NULL) SELECT count(*) FROM trace",
      Parameters(engine_.tenant(), action_id, trace->time(), now));
  Reader reader(result);
  return reader.next() && reader.get<std::int64_t>() > 0;
}

void PostgresActionStore::lock(std::span<const Scope> scopes) {
  if (!engine_.in_transaction()) {
    throw Error(ErrorCode::internal, "lock: is only possible inside a transaction");
  }
  // Nothing needs the answer, and whatever is read next comes after it.
  if (!scopes.empty()) engine_.put_off(take_heads(engine_.tenant(), scopes));
}

}  // namespace actionhist::postgres
