#include "postgres/space_store.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "postgres/feed_store.hpp"
#include "sql/space_errors.hpp"

namespace actionhist::postgres {
namespace {

constexpr int most_looked_at = 4096;  // subjects at once, for those without a vector

}  // namespace

std::vector<EmbeddingSpace> PostgresSpaceStore::spaces(bool counted) {
  const Result result = engine_.run(
      "WITH present AS (SELECT e.space_id, count(*) AS vectors FROM embeddings e JOIN feed_subjects f ON f.tenant_id = "
      "e.tenant_id AND f.subject_id = e.subject_id AND f.content_hash = e.content_hash AND NOT f.deleted "
      "WHERE e.tenant_id = $1 AND $2 GROUP BY e.space_id), "
      "alive AS (SELECT count(*) AS subjects FROM feed_subjects WHERE tenant_id = $1 AND NOT deleted AND $2) "
      "SELECT s.space_id, s.dimension, h.space_id IS NOT DISTINCT FROM s.space_id, m.space_id IS NOT NULL, "
      "s.created_at, s.activated_at, coalesce(p.vectors, 0), a.subjects - coalesce(p.vectors, 0) "
      "FROM embedding_spaces s CROSS JOIN alive a LEFT JOIN present p ON p.space_id = s.space_id "
      "LEFT JOIN feed_heads h ON h.tenant_id = s.tenant_id "
      "LEFT JOIN embedding_models m ON m.tenant_id = s.tenant_id AND m.space_id = s.space_id "
      "WHERE s.tenant_id = $1 ORDER BY s.space_id",
      Parameters(engine_.tenant(), counted), Plan::once);
  std::vector<EmbeddingSpace> spaces;
  Reader reader(result);
  while (reader.next()) {
    EmbeddingSpace& space = spaces.emplace_back();
    reader.read(space.space_id).read(space.dimension).read(space.active).read(space.fitted);
    reader.read(space.created_at).read(space.activated_at).read(space.vectors).read(space.missing);
  }
  return spaces;
}

void PostgresSpaceStore::put(std::string_view space_id, std::int64_t dimension, TimePoint now) {
  const auto stored = [&] {
    const Result result =
        engine_.run("SELECT dimension FROM embedding_spaces WHERE tenant_id = $1 AND space_id = $2",
                    Parameters(engine_.tenant(), space_id));
    Reader reader(result);
    return reader.next() ? reader.get<std::int64_t>() : 0;
  };
  // Most spaces are known, and then nothing is written.
  std::int64_t known = stored();
  if (known == 0) {
    engine_.run(
        "INSERT INTO embedding_spaces (tenant_id, space_id, dimension, created_at) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT DO NOTHING",
        Parameters(engine_.tenant(), space_id, dimension, now));
    known = stored();
  }
  if (known != dimension) sql::refuse_dimension(space_id, known, dimension);
}

std::string PostgresSpaceStore::active() {
  const Result result =
      engine_.run("SELECT space_id FROM feed_heads WHERE tenant_id = $1", Parameters(engine_.tenant()));
  Reader reader(result);
  return reader.next() ? reader.get<std::string>() : std::string();
}

bool PostgresSpaceStore::activate(std::string_view space_id, std::string_view expected, TimePoint now) {
  std::vector<Call> calls;
  // A statement of its own, so that the next one sees what a drop() that it waited for has removed.
  calls.push_back({"SELECT FROM feed_heads WHERE tenant_id = $1 FOR UPDATE", Parameters(engine_.tenant())});
  // A second run finds what the first one did. The first space gets its row with its first vectors; one that another
  // gives way to must be there.
  calls.push_back(
      {"WITH head AS (INSERT INTO feed_heads AS h (tenant_id, epoch, seq, space_id) SELECT $1, $2, 0, $3 "
       "WHERE $4::text IS NULL OR EXISTS (SELECT FROM feed_heads WHERE tenant_id = $1) "
       "ON CONFLICT (tenant_id) DO UPDATE SET space_id = excluded.space_id "
       "WHERE h.space_id = $3 OR h.space_id IS NOT DISTINCT FROM $4 AND ($4 IS NULL OR EXISTS "
       "(SELECT FROM embedding_spaces WHERE tenant_id = $1 AND space_id = $3)) RETURNING space_id) "
       "UPDATE embedding_spaces s SET activated_at = $5 FROM head WHERE s.tenant_id = $1 AND "
       "s.space_id = head.space_id",
       Parameters(engine_.tenant(), uuid_v7(now), space_id, expected, now), Plan::once});
  return engine_.run(std::move(calls)).back().affected() > 0;
}

bool PostgresSpaceStore::drop(std::string_view space_id) {
  bool dropped = false;
  engine_.transaction([&] {
    // Whoever appends vectors keeps the head until they are stored, and whoever makes a space the tenant's changes it.
    const Result head = engine_.run("SELECT space_id FROM feed_heads WHERE tenant_id = $1 FOR UPDATE",
                                    Parameters(engine_.tenant()));
    Reader reader(head);
    if (reader.next() && reader.get<std::string>() == space_id) sql::refuse_drop(space_id);
    std::vector<Call> calls;
    for (const std::string_view sql :
         {"DELETE FROM embeddings WHERE tenant_id = $1 AND space_id = $2",
          "DELETE FROM embedding_models WHERE tenant_id = $1 AND space_id = $2",
          "DELETE FROM embedding_spaces WHERE tenant_id = $1 AND space_id = $2"}) {
      calls.push_back({sql, Parameters(engine_.tenant(), space_id), Plan::once});
    }
    dropped = engine_.run(std::move(calls)).back().affected() > 0;
  });
  return dropped;
}

bool PostgresSpaceStore::lease(std::string_view space_id, std::string_view worker,
                               std::chrono::seconds time) {
  return engine_
             .run(
                 "UPDATE embedding_spaces SET filler = $3, filling_until = now() + $4 * interval '1 second' WHERE "
                 "tenant_id = $1 AND space_id = $2 AND (filler IS NULL OR filler = $3 OR filling_until <= now())",
                 Parameters(engine_.tenant(), space_id, worker, std::int64_t{time.count()}))
             .affected() > 0;
}

void PostgresSpaceStore::release(std::string_view space_id, std::string_view worker) {
  engine_.try_now(
      "UPDATE embedding_spaces SET filler = NULL, filling_until = NULL WHERE tenant_id = $1 AND space_id = $2 AND "
      "filler = $3",
      Parameters(engine_.tenant(), space_id, worker));
}

std::vector<FeedSubject> PostgresSpaceStore::missing(std::string_view space_id, std::int64_t after,
                                                     int limit) {
  // Page by page: in one statement the planner may compare each subject with all embeddings.
  std::vector<FeedSubject> missing;
  std::vector<std::string> ids;
  for (int page = limit; missing.empty(); page = std::min(2 * page, most_looked_at)) {
    const Result result = engine_.run(
        "SELECT subject_id, seq FROM feed_subjects WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        Parameters(engine_.tenant(), after, std::int64_t{page}));
    ids.clear();
    for (Reader reader(result); reader.next();) {
      ids.push_back(reader.get<std::string>());
      reader.read(after);
    }
    if (ids.empty()) break;
    missing = PostgresFeedStore(engine_).unembedded(space_id, ids);
    // Those that changed meanwhile come with a later page.
    std::erase_if(missing, [&](const FeedSubject& subject) { return subject.seq > after; });
  }
  if (missing.size() > static_cast<std::size_t>(limit)) missing.resize(static_cast<std::size_t>(limit));
  return missing;
}

std::int64_t PostgresSpaceStore::queue_unknown(TimePoint now, int limit) {
  return engine_
      .run(
          "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) SELECT t.tenant_id, t.action_id, "
          "1, $2 FROM resource_action_traces t WHERE t.tenant_id = $1 AND NOT EXISTS (SELECT FROM feed_subjects s "
          "WHERE s.tenant_id = t.tenant_id AND s.subject_id = t.action_id) AND NOT EXISTS (SELECT FROM "
          "embedding_queue q WHERE q.tenant_id = t.tenant_id AND q.subject_id = t.action_id) LIMIT $3 "
          "ON CONFLICT DO NOTHING",
          Parameters(engine_.tenant(), now, std::int64_t{limit}), Plan::once)
      .affected();
}

void PostgresSpaceStore::refuse(const FeedSubject& subject, std::string_view error, TimePoint now) {
  engine_.run(
      "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at, attempts, last_error) "
      "SELECT tenant_id, subject_id, 1, $4, $5, $6 FROM feed_subjects WHERE tenant_id = $1 AND subject_id = $2 AND "
      "content_hash = $3 AND NOT deleted ON CONFLICT DO NOTHING",
      Parameters(engine_.tenant(), subject.subject_id, subject.content_hash, now,
                 std::int64_t{FeedStore::max_attempts}, error));
}

std::optional<std::string> PostgresSpaceStore::model(std::string_view space_id) {
  const Result result =
      engine_.run("SELECT model FROM embedding_models WHERE tenant_id = $1 AND space_id = $2",
                  Parameters(engine_.tenant(), space_id), Plan::once);
  Reader reader(result);
  if (!reader.next()) return std::nullopt;
  return std::string(reader.blob());
}

void PostgresSpaceStore::put_model(std::string_view space_id, std::string_view bytes) {
  Parameters parameters(engine_.tenant(), space_id);
  parameters.add_bytes(std::as_bytes(std::span(bytes)));
  engine_.run(
      "INSERT INTO embedding_models (tenant_id, space_id, model) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      std::move(parameters), Plan::once);
}

}  // namespace actionhist::postgres
