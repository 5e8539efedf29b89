#include "sqlite/action_store.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "core/refuse.hpp"
#include "core/trace_fields.hpp"
#include "sql/cursor.hpp"
#include "sql/looked_through.hpp"
#include "sql/placeholders.hpp"
#include "sql/trace_columns.hpp"
#include "sqlite/condition.hpp"
#include "sqlite/rows.hpp"
#include "sqlite/text_index.hpp"

namespace actionhist::sqlite {
namespace {

const std::string& select_trace() {
  static const std::string text =
      "SELECT " + sql::trace_columns() + " FROM resource_action_traces WHERE tenant_id = ?";
  return text;
}

const std::string& insert_trace() {
  static const std::string text =
      sql::insert_into("resource_action_traces", sql::trace_columns(), sql::Dialect::sqlite) +
      " ON CONFLICT (tenant_id, action_id) DO NOTHING";
  return text;
}

// Of a word that many actions hold, so many of the latest are looked up first.
constexpr int latest_of_word = 5'000;

constexpr const char* insert_resource =
    "INSERT INTO resource_references (tenant_id, resource_id, cluster, api_group, api_version, kind, namespace, "
    "name, created_at, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

constexpr const char* insert_incarnation =
    "INSERT INTO resource_incarnations (tenant_id, resource_id, resource_uid, api_version, created_at, "
    "last_seen) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

constexpr const char* count_action =
    "INSERT INTO action_histories (tenant_id, resource_id, total_actions, last_action_at, created_at, "
    "updated_at) VALUES (?1, ?2, 1, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET total_actions = total_actions + 1, "
    "last_action_at = max(ifnull(last_action_at, excluded.last_action_at), excluded.last_action_at), "
    "updated_at = excluded.updated_at";

// A subject that waits already keeps its place in the queue.
constexpr const char* enqueue =
    "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) VALUES (?, ?, 1, ?) "
    "ON CONFLICT DO UPDATE SET version = version + 1, attempts = 0, last_error = NULL";

// The statements of an insert, kept for all rows of a batch.
class Inserter {
 public:
  Inserter(Connection& connection, const std::string& tenant)
      : connection_(connection),
        tenant_(tenant),
        deleted_(connection, "SELECT 1 FROM action_ids WHERE tenant_id = ? AND action_id = ?"),
        trace_(connection, insert_trace()),
        resource_(connection, insert_resource),
        count_(connection, count_action),
        enqueue_(connection, enqueue),
        texts_(connection, tenant) {}

  Trace insert(const Trace& trace) {
    refuse_deleted(trace);
    trace_.reset();
    trace_.bind_text(tenant_);
    visit_columns(trace, [&](std::string_view, const auto& member) { trace_.bind(member); });
    if (trace_.run() == 0) return stored_before(trace.action_id);
    if (!trace.resource_id.empty()) insert_resource_of(trace);
    enqueue_.reset();
    enqueue_.bind_all(tenant_, trace.action_id, trace.created_at).run();
    texts_.add(trace);
    return trace;
  }

  void finish() { texts_.finish(); }

 private:
  void refuse_deleted(const Trace& trace) {
    deleted_.reset();
    if (deleted_.bind_all(tenant_, trace.action_id).step()) {
      throw Error(ErrorCode::conflict,
                  fmt::format("action_id: \"{}\" was deleted and stays taken", trace.action_id));
    }
  }

  Trace stored_before(const std::string& action_id) {
    Query query(connection_, select_trace() + " AND action_id = ?");
    query.bind_all(tenant_, action_id).step();
    Trace trace = read_trace(query);
    trace.stored = false;
    return trace;
  }

  void insert_resource_of(const Trace& trace) {
    const Resource r = guarded_resource(trace);
    resource_.reset();
    resource_.bind_all(tenant_, trace.resource_id);
    bind_reference(resource_, r);
    resource_.bind_all(trace.time(), trace.time()).run();
    // The uid is that of the resource itself, not of its owner.
    if (trace.owner.empty() && !r.uid.empty()) {
      Query(connection_, insert_incarnation)
          .bind_all(tenant_, trace.resource_id, r.uid)
          .bind_text(r.api_version)
          .bind_all(trace.time(), trace.time())
          .run();
    }
    count_.reset();
    count_.bind_all(tenant_, trace.resource_id, trace.time(), trace.created_at).run();
  }

  Connection& connection_;
  const std::string& tenant_;
  Query deleted_;
  Query trace_;
  Query resource_;
  Query count_;
  Query enqueue_;
  TextWriter texts_;
};

const char* scope_column(ScopeKind kind) {
  switch (kind) {
    case ScopeKind::resource: return "resource_id";
    case ScopeKind::correlation: return "correlation_id";
    default: return "session_id";
  }
}

}  // namespace

std::vector<Trace> SqliteActionStore::insert(std::span<const Trace> traces) {
  return engine_.write([&](Connection& connection) {
    Inserter inserter(connection, engine_.tenant());
    std::vector<Trace> stored;
    stored.reserve(traces.size());
    for (const Trace& trace : traces) stored.push_back(inserter.insert(trace));
    inserter.finish();
    return stored;
  });
}

std::optional<Trace> SqliteActionStore::get(std::string_view action_id) {
  return engine_.read([&](Connection& connection) -> std::optional<Trace> {
    Query query(connection, select_trace() + " AND action_id = ?");
    query.bind_all(engine_.tenant(), action_id);
    if (!query.step()) return std::nullopt;
    return read_trace(query);
  });
}

std::vector<Trace> SqliteActionStore::get(std::span<const std::string> action_ids) {
  return engine_.read([&](Connection& connection) {
    Query query(connection, select_trace() + " AND action_id = ?");
    std::vector<Trace> traces;
    for (const std::string& id : action_ids) {
      query.reset();
      if (query.bind_all(engine_.tenant(), id).step()) traces.push_back(read_trace(query));
    }
    return traces;
  });
}

Page SqliteActionStore::find(const ActionQuery& query) {
  require_between("limit", query.limit, 1, 10'000);
  const bool named = !query.resource.kind.empty() && !query.resource.name.empty();
  // A resource goes by its index, whatever its cluster and group are, one that is guarded under its owner by an
  // index of its own. Left alone, the engine would rather read all actions by time, because those are in order.
  std::string text = fmt::format("SELECT {} FROM resource_action_traces {} WHERE tenant_id = ?",
                                 sql::trace_columns(), named ? "NOT INDEXED" : "");
  std::vector<std::string> parts;  // bound after the tenant
  visit_resource(query.resource, [&](std::string_view name, const std::string& part) {
    if (part.empty()) return;
    text += fmt::format(" AND {} = ?", name);
    parts.push_back(part);
  });
  if (!query.correlation_id.empty()) {
    text += " AND correlation_id = ?";
    parts.push_back(query.correlation_id);
  }
  if (named) {
    text +=
        " AND rowid IN (SELECT t.rowid FROM resource_action_traces t WHERE t.tenant_id = ? AND t.resource_id IN "
        "(SELECT resource_id FROM resource_references WHERE tenant_id = ? AND kind = ? AND name = ?) UNION ALL "
        "SELECT t.rowid FROM resource_action_traces t WHERE t.tenant_id = ? AND owner IS NOT NULL AND kind = ? "
        "AND name = ?)";
    const std::string& tenant = engine_.tenant();
    const auto& [kind, name] = std::tie(query.resource.kind, query.resource.name);
    parts.insert(parts.end(), {tenant, tenant, kind, name, tenant, kind, name});
  }
  if (query.since) text += " AND action_timestamp >= ?";
  if (query.until) text += " AND action_timestamp < ?";
  std::optional<sql::Cursor> after;
  if (!query.cursor.empty()) {
    after = sql::read_cursor(query.cursor);
    text += " AND (action_timestamp, action_id) < (?, ?)";
  }
  const sql::Condition condition = sql::condition(query.where);
  // The plus does the same for a correlation.
  text += fmt::format(" AND {} ORDER BY {}action_timestamp DESC, action_id DESC LIMIT ?", condition.text,
                      query.correlation_id.empty() ? "" : "+");

  return engine_.read([&](Connection& connection) {
    Query rows(connection, text);
    rows.bind(engine_.tenant());
    for (const std::string& part : parts) rows.bind(part);
    if (query.since) rows.bind(*query.since);
    if (query.until) rows.bind(*query.until);
    if (after) rows.bind_all(after->time, after->action_id);
    bind(rows, condition);
    rows.bind(query.limit + 1);
    Page page;
    page.traces = read_traces(rows);
    if (page.traces.size() > static_cast<std::size_t>(query.limit)) {
      page.traces.pop_back();
      page.next = sql::write_cursor(page.traces.back());
    }
    return page;
  });
}

void SqliteActionStore::update(const Trace& trace, const Trace&) {
  static const std::string text = "UPDATE resource_action_traces SET " + sql::outcome_assignments() +
                                  ", follow_up_actions = ?, updated_at = ? "
                                  "WHERE tenant_id = ? AND action_id = ?";
  engine_.write([&](Connection& connection) {
    Query query(connection, text);
    visit_outcome(trace.outcome, [&](std::string_view, const auto& member) { query.bind(member); });
    query.bind_all(trace.follow_up_actions, trace.updated_at, engine_.tenant(), trace.action_id);
    if (query.run() == 0) {
      throw Error(ErrorCode::not_found, fmt::format("action_id: \"{}\" is not stored", trace.action_id));
    }
    Query(connection, "UPDATE action_histories SET updated_at = ? WHERE tenant_id = ? AND resource_id = ?")
        .bind_all(trace.updated_at, engine_.tenant(), trace.resource_id)
        .run();
    Query(connection, enqueue).bind_all(engine_.tenant(), trace.action_id, trace.updated_at).run();
    // Of what an outcome adds, the error alone has words.
    if (!trace.outcome.execution_error.empty()) TextWriter(connection, engine_.tenant()).replace(trace);
  });
}

bool SqliteActionStore::remove(std::string_view action_id, TimePoint now) {
  return engine_.write([&](Connection& connection) {
    const std::string& tenant = engine_.tenant();
    std::string resource;
    {
      Query query(connection,
                  "DELETE FROM resource_action_traces WHERE tenant_id = ? AND action_id = ? "
                  "RETURNING resource_id");
      if (!query.bind_all(tenant, action_id).step()) return false;
      query.read(resource);
      query.run();
    }
    Query(connection, "INSERT INTO action_ids (tenant_id, action_id, deleted_at) VALUES (?, ?, ?)")
        .bind_all(tenant, action_id, now)
        .run();
    Query(connection,
          "UPDATE action_histories SET total_actions = total_actions - 1, updated_at = ? "
          "WHERE tenant_id = ? AND resource_id = ?")
        .bind_all(now, tenant, resource)
        .run();
    remove_texts(connection, tenant, Json::array({action_id}).text());
    // The worker finds the trace gone and puts a tombstone into the feed.
    Query(connection, enqueue).bind_all(tenant, action_id, now).run();
    return true;
  });
}

void SqliteActionStore::lock(std::span<const Scope>) {
  // BEGIN IMMEDIATE holds the whole file, so the heads of all scopes are taken already.
  if (!engine_.in_transaction()) {
    throw Error(ErrorCode::internal, "lock: is only possible inside a transaction");
  }
}

std::vector<Trace> SqliteActionStore::recent(const Scope& scope, TimePoint since, TimePoint until, int limit,
                                             std::optional<Effect> effect) {
  // Without the plus the engine would read the whole window of all resources, because those are in order.
  std::string text = fmt::format(
      "{} AND {} = ? AND action_timestamp BETWEEN ? AND ? ORDER BY action_timestamp DESC, +action_id DESC LIMIT ?",
      select_trace(), scope_column(scope.kind));
  // No index knows the effect.
  if (effect) {
    text = fmt::format(
        "SELECT * FROM ({}) WHERE effect = ? ORDER BY action_timestamp DESC, action_id DESC LIMIT ?", text);
  }
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    query.bind_all(engine_.tenant(), scope.key, since, until);
    if (effect) query.bind_all(sql::looked_through, *effect);
    query.bind(limit);
    std::vector<Trace> traces = read_traces(query);
    std::ranges::reverse(traces);
    return traces;
  });
}

std::vector<Trace> SqliteActionStore::search_text(std::span<const std::string> words, const Json& where,
                                                  int limit) {
  if (words.empty()) return {};
  const sql::Condition condition = sql::condition(where);
  std::vector<std::string> patterns;
  for (const std::string& word : words) patterns.push_back(word_pattern(word));
  return engine_.read([&](Connection& connection) {
    const auto search = [&](const std::vector<bool>& common, int most) {
      Query query(
          connection,
          fmt::format("WITH hits AS ({}) SELECT {} FROM hits JOIN resource_action_traces ON tenant_id = "
                      "of_tenant AND action_id = id WHERE of_tenant = ? AND {} ORDER BY found DESC, "
                      "action_timestamp DESC, action_id LIMIT ?",
                      found_texts(common, most), sql::trace_columns(), condition.text));
      for (const std::string& pattern : patterns) query.bind_text(pattern);
      for (const std::string& word : words) query.bind_text(word);
      query.bind(engine_.tenant());
      bind(query, condition);
      query.bind(limit);
      return read_traces(query);
    };
    std::vector<Trace> found = search(common_words(connection, words), latest_of_word);
    // The latest ones may all be of other tenants, or not pass the filter.
    if (found.size() < static_cast<std::size_t>(limit)) found = search(std::vector<bool>(words.size()), 0);
    return found;
  });
}

std::vector<Summary> SqliteActionStore::summaries(std::optional<TimePoint> changed_since, TimePoint now,
                                                  int limit) {
  // Scores are summed in whole billionths, so that the mean does not depend on the order of the rows.
  constexpr const char* text =
      "SELECT r.resource_id, r.cluster, r.api_group, r.api_version, r.kind, r.namespace, r.name, "
      "  h.total_actions, h.last_action_at, "
      "  count(t.action_id) FILTER (WHERE t.action_timestamp > ?2), count(t.action_id), "
      "  avg(CASE WHEN t.execution_status IN ('completed') THEN 1.0 "
      "           WHEN t.execution_status IN ('failed', 'rolled-back', 'escalated') THEN 0.0 END), "
      "  sum(CAST(t.effectiveness_score * 1e9 + 0.5 AS INTEGER)) / (count(t.effectiveness_score) * 1e9) "
      "FROM (SELECT * FROM action_histories WHERE tenant_id = ?1 AND updated_at >= ?5 AND last_action_at IS NOT NULL "
      "  ORDER BY last_action_at DESC, resource_id LIMIT ?6) AS h "
      "JOIN resource_references r ON r.tenant_id = h.tenant_id AND r.resource_id = h.resource_id "
      "LEFT JOIN resource_action_traces t ON t.tenant_id = h.tenant_id AND t.resource_id = h.resource_id "
      "  AND t.action_timestamp > ?3 AND t.action_timestamp <= ?4 "
      "GROUP BY r.resource_id ORDER BY h.last_action_at DESC, r.resource_id";
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    query.bind_all(engine_.tenant(), now - std::chrono::hours{24}, now - std::chrono::hours{24 * 7}, now,
                   changed_since.value_or(TimePoint{}), limit);
    return read_rows(query, sql::read_summary<Query>);
  });
}

}  // namespace actionhist::sqlite
