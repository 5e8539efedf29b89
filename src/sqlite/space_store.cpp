#include "sqlite/space_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "sql/feed_rows.hpp"
#include "sql/space_errors.hpp"
#include "sqlite/lease.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {

std::vector<EmbeddingSpace> SqliteSpaceStore::spaces(bool counted) {
  return engine_.read([&](Connection& connection) {
    std::int64_t alive = 0;
    if (counted) {
      Query count(connection, "SELECT count(*) FROM feed_subjects WHERE tenant_id = ? AND NOT deleted");
      count.bind(engine_.tenant()).step();
      count.read(alive);
    }
    Query query(
        connection,
        "SELECT s.space_id, s.dimension, h.space_id IS s.space_id, m.space_id IS NOT NULL, s.created_at, "
        "s.activated_at, CASE WHEN ?2 THEN (SELECT count(*) FROM embeddings e JOIN feed_subjects f ON "
        "f.tenant_id = e.tenant_id AND f.subject_id = e.subject_id AND f.content_hash = e.content_hash AND "
        "NOT f.deleted WHERE e.tenant_id = s.tenant_id AND e.space_id = s.space_id) ELSE 0 END "
        "FROM embedding_spaces s LEFT JOIN feed_heads h ON h.tenant_id = s.tenant_id "
        "LEFT JOIN embedding_models m ON m.tenant_id = s.tenant_id AND m.space_id = s.space_id "
        "WHERE s.tenant_id = ?1 ORDER BY s.space_id");
    query.bind_all(engine_.tenant(), counted);
    std::vector<EmbeddingSpace> spaces;
    while (query.step()) {
      EmbeddingSpace& space = spaces.emplace_back();
      query.read(space.space_id).read(space.dimension).read(space.active).read(space.fitted);
      query.read(space.created_at).read(space.activated_at).read(space.vectors);
      space.missing = std::max<std::int64_t>(alive - space.vectors, 0);
    }
    return spaces;
  });
}

void SqliteSpaceStore::put(std::string_view space_id, std::int64_t dimension, TimePoint now) {
  const auto stored = [&](Connection& connection) {
    Query query(connection, "SELECT dimension FROM embedding_spaces WHERE tenant_id = ? AND space_id = ?");
    return query.bind_all(engine_.tenant(), space_id).step() ? query.get<std::int64_t>() : 0;
  };
  // Most spaces are known, and then nothing is written.
  std::int64_t known = engine_.read(stored);
  if (known == 0) {
    known = engine_.write([&](Connection& connection) {
      Query(connection,
            "INSERT INTO embedding_spaces (tenant_id, space_id, dimension, created_at) VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING")
          .bind_all(engine_.tenant(), space_id, dimension, now)
          .run();
      return stored(connection);
    });
  }
  if (known != dimension) sql::refuse_dimension(space_id, known, dimension);
}

std::string SqliteSpaceStore::active() {
  return engine_.read([&](Connection& connection) {
    Query query(connection, "SELECT space_id FROM feed_heads WHERE tenant_id = ?");
    return query.bind(engine_.tenant()).step() ? query.get<std::string>() : std::string();
  });
}

bool SqliteSpaceStore::activate(std::string_view space_id, std::string_view expected, TimePoint now) {
  return engine_.write([&](Connection& connection) {
    const std::string& tenant = engine_.tenant();
    Query(connection,
          "INSERT INTO feed_heads (tenant_id, epoch, seq) VALUES (?, ?, 0) ON CONFLICT DO NOTHING")
        .bind_all(tenant, uuid_v7(now))
        .run();
    const int changed =
        // The first space gets its row with its first vectors; one that another gives way to must be there.
        Query(
            connection,
            "UPDATE feed_heads SET space_id = ?1 WHERE tenant_id = ?2 AND space_id IS ?3 AND (?3 IS NULL OR EXISTS "
            "(SELECT 1 FROM embedding_spaces WHERE tenant_id = ?2 AND space_id = ?1))")
            .bind_all(space_id, tenant, expected)
            .run();
    if (changed == 0) return false;
    Query(connection, "UPDATE embedding_spaces SET activated_at = ? WHERE tenant_id = ? AND space_id = ?")
        .bind_all(now, tenant, space_id)
        .run();
    return true;
  });
}

bool SqliteSpaceStore::drop(std::string_view space_id) {
  return engine_.write([&](Connection& connection) {
    if (active() == space_id) sql::refuse_drop(space_id);
    for (const char* table : {"embeddings", "embedding_models"}) {
      Query(connection, fmt::format("DELETE FROM {} WHERE tenant_id = ? AND space_id = ?", table))
          .bind_all(engine_.tenant(), space_id)
          .run();
    }
    return Query(connection, "DELETE FROM embedding_spaces WHERE tenant_id = ? AND space_id = ?")
               .bind_all(engine_.tenant(), space_id)
               .run() > 0;
  });
}

bool SqliteSpaceStore::lease(std::string_view space_id, std::string_view worker, std::chrono::seconds time) {
  const TimePoint now = system_now();
  const Lease held = engine_.read([&](Connection& connection) {
    Query query(connection,
                "SELECT filler, filling_until FROM embedding_spaces WHERE tenant_id = ? AND space_id = ? AND "
                "filler IS NOT NULL");
    Lease lease;
    if (query.bind_all(engine_.tenant(), space_id).step()) query.read(lease.worker).read(lease.expires_at);
    return lease;
  });
  if (const auto settled = held.settled(worker, now, time)) return *settled;
  return engine_.write([&](Connection& connection) {
    return Query(
               connection,
               "UPDATE embedding_spaces SET filler = ?1, filling_until = ?2 WHERE tenant_id = ?3 AND space_id = ?4 "
               "AND (filler IS NULL OR filler = ?1 OR filling_until <= ?5 OR filling_until > ?6)")
               .bind_all(worker, now + time, engine_.tenant(), space_id, now, now + 2 * time)
               .run() > 0;
  });
}

void SqliteSpaceStore::release(std::string_view space_id, std::string_view worker) {
  engine_.write([&](Connection& connection) {
    Query(
        connection,
        "UPDATE embedding_spaces SET filler = NULL, filling_until = NULL WHERE tenant_id = ? AND space_id = ? AND "
        "filler = ?")
        .bind_all(engine_.tenant(), space_id, worker)
        .run();
  });
}

std::vector<FeedSubject> SqliteSpaceStore::missing(std::string_view space_id, std::int64_t after, int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT s.subject_id, s.text, s.content_hash, s.seq FROM feed_subjects s LEFT JOIN embeddings e ON "
        "e.tenant_id = s.tenant_id AND e.space_id = ? AND e.subject_id = s.subject_id AND "
        "e.content_hash = s.content_hash WHERE s.tenant_id = ? AND s.seq > ? AND NOT s.deleted AND "
        "e.subject_id IS NULL ORDER BY s.seq LIMIT ?");
    query.bind_all(space_id, engine_.tenant(), after, limit);
    return read_rows(query, sql::read_unembedded<Query>);
  });
}

std::int64_t SqliteSpaceStore::queue_unknown(TimePoint now, int limit) {
  return engine_.write([&](Connection& connection) {
    return std::int64_t{
        Query(
            connection,
            "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at) SELECT t.tenant_id, "
            "t.action_id, 1, ? FROM resource_action_traces t WHERE t.tenant_id = ? AND NOT EXISTS (SELECT 1 FROM "
            "feed_subjects s WHERE s.tenant_id = t.tenant_id AND s.subject_id = t.action_id) AND NOT EXISTS "
            "(SELECT 1 FROM embedding_queue q WHERE q.tenant_id = t.tenant_id AND q.subject_id = t.action_id) "
            "LIMIT ? ON CONFLICT DO NOTHING")
            .bind_all(now, engine_.tenant(), limit)
            .run()};
  });
}

void SqliteSpaceStore::refuse(const FeedSubject& subject, std::string_view error, TimePoint now) {
  engine_.write([&](Connection& connection) {
    Query(
        connection,
        "INSERT INTO embedding_queue (tenant_id, subject_id, version, enqueued_at, attempts, last_error) "
        "SELECT tenant_id, subject_id, 1, ?, ?, ? FROM feed_subjects WHERE tenant_id = ? AND subject_id = ? AND "
        "content_hash = ? AND NOT deleted ON CONFLICT DO NOTHING")
        .bind_all(now, FeedStore::max_attempts, error, engine_.tenant(), subject.subject_id,
                  subject.content_hash)
        .run();
  });
}

std::optional<std::string> SqliteSpaceStore::model(std::string_view space_id) {
  return engine_.read([&](Connection& connection) -> std::optional<std::string> {
    Query query(connection, "SELECT model FROM embedding_models WHERE tenant_id = ? AND space_id = ?");
    if (!query.bind_all(engine_.tenant(), space_id).step()) return std::nullopt;
    return std::string(query.blob());
  });
}

void SqliteSpaceStore::put_model(std::string_view space_id, std::string_view bytes) {
  engine_.write([&](Connection& connection) {
    Query query(
        connection,
        "INSERT INTO embedding_models (tenant_id, space_id, model) VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
    query.bind_all(engine_.tenant(), space_id).bind_blob(bytes.data(), bytes.size()).run();
  });
}

}  // namespace actionhist::sqlite
