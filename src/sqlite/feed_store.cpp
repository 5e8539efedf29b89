#include "sqlite/feed_store.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "sql/feed_rows.hpp"
#include "sqlite/lease.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {
namespace {

// Hands out the numbers of the feed within one transaction, and at its end stores the last and that there was a batch.
class Sequencer {
 public:
  Sequencer(Connection& connection, const std::string& tenant) : connection_(connection), tenant_(tenant) {
    Query(connection,
          "INSERT INTO feed_heads (tenant_id, epoch, seq) VALUES (?, ?, 0) ON CONFLICT DO NOTHING")
        .bind_all(tenant, uuid_v7(system_now()))
        .run();
    Query query(connection, "SELECT seq FROM feed_heads WHERE tenant_id = ?");
    query.bind(tenant).step();
    query.read(seq_);
  }

  std::int64_t next() { return ++seq_; }

  void store() {
    const TimePoint now = system_now();
    const std::string batch_id = uuid_v7(now);
    Query(connection_, "UPDATE feed_heads SET seq = ?, batch_id = ? WHERE tenant_id = ?")
        .bind_all(seq_, batch_id, tenant_)
        .run();
    Query(connection_, "INSERT INTO feed_batches (tenant_id, batch_id, added_at) VALUES (?, ?, ?)")
        .bind_all(tenant_, batch_id, now)
        .run();
  }

 private:
  Connection& connection_;
  const std::string& tenant_;
  std::int64_t seq_ = 0;
};

std::int64_t append_embeddings(Connection& connection, const std::string& tenant,
                               std::span<const FeedEmbedding> embeddings) {
  Sequencer sequencer(connection, tenant);
  Query(
      connection,
      "INSERT INTO embedding_spaces (tenant_id, space_id, dimension) SELECT tenant_id, space_id, ? FROM feed_heads "
      "WHERE tenant_id = ? AND space_id = ? ON CONFLICT DO NOTHING")
      .bind_all(static_cast<std::int64_t>(embeddings.front().vector.size()), tenant,
                embeddings.front().space_id)
      .run();
  Query known(connection, "SELECT 1 FROM embedding_spaces WHERE tenant_id = ? AND space_id = ?");
  if (!known.bind_all(tenant, embeddings.front().space_id).step()) return 0;
  Query put(connection,
            "INSERT INTO embeddings (tenant_id, space_id, subject_id, seq, content_hash, vector) "
            "SELECT tenant_id, ?, subject_id, ?, content_hash, ? FROM feed_subjects "
            "WHERE tenant_id = ? AND subject_id = ? AND content_hash = ? AND NOT deleted "
            "ON CONFLICT DO UPDATE SET seq = excluded.seq, content_hash = excluded.content_hash, "
            "vector = excluded.vector");
  std::int64_t stored = 0;
  for (const FeedEmbedding& e : embeddings) {
    put.reset();
    put.bind_all(e.space_id, sequencer.next()).bind_blob(e.vector.data(), e.vector.size() * sizeof(float));
    stored += put.bind_all(tenant, e.subject_id, e.content_hash).run();
  }
  sequencer.store();
  return stored;
}

}  // namespace

bool SqliteFeedStore::lease(std::string_view worker, std::chrono::seconds time) {
  const TimePoint now = system_now();
  const Lease held = engine_.read([&](Connection& connection) {
    Query query(connection, "SELECT worker, expires_at FROM worker_leases WHERE tenant_id = ?");
    Lease lease;
    if (query.bind(engine_.tenant()).step()) query.read(lease.worker).read(lease.expires_at);
    return lease;
  });
  if (const auto settled = held.settled(worker, now, time)) return *settled;
  return engine_.write([&](Connection& connection) {
    return Query(
               connection,
               "INSERT INTO worker_leases (tenant_id, worker, expires_at) VALUES (?, ?, ?) ON CONFLICT DO UPDATE "
               "SET worker = excluded.worker, expires_at = excluded.expires_at "
               "WHERE worker = excluded.worker OR expires_at <= ? OR expires_at > ?")
               .bind_all(engine_.tenant(), worker, now + time, now, now + 2 * time)
               .run() > 0;
  });
}

void SqliteFeedStore::release(std::string_view worker) {
  engine_.write([&](Connection& connection) {
    Query(connection, "DELETE FROM worker_leases WHERE tenant_id = ? AND worker = ?")
        .bind_all(engine_.tenant(), worker)
        .run();
  });
}

// A row that is queued anew starts to count anew, so what is told as its version counts from its time.
std::vector<QueuedSubject> SqliteFeedStore::queued(int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT subject_id, version + enqueued_at, attempts FROM embedding_queue WHERE tenant_id = ? AND "
        "attempts < ? ORDER BY enqueued_at, subject_id LIMIT ?");
    query.bind_all(engine_.tenant(), max_attempts, limit);
    return read_rows(query, sql::read_queued<Query>);
  });
}

void SqliteFeedStore::sequence(std::span<const FeedSubject> subjects, std::span<const QueuedSubject> queued) {
  if (subjects.empty()) return;
  engine_.write([&](Connection& connection) {
    Sequencer sequencer(connection, engine_.tenant());
    Query put(
        connection,
        "INSERT INTO feed_subjects (tenant_id, subject_id, seq, deleted, content_hash, text, "
        "fields, deleted_at) SELECT tenant_id, subject_id, ?, ?, ?, ?, ?, ? FROM embedding_queue WHERE tenant_id = ? "
        "AND subject_id = ? AND version + enqueued_at = ? ON CONFLICT DO UPDATE SET seq = excluded.seq, "
        "deleted = excluded.deleted, content_hash = excluded.content_hash, "
        "text = excluded.text, fields = excluded.fields, deleted_at = excluded.deleted_at");
    const TimePoint now = system_now();
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      const FeedSubject& subject = subjects[i];
      put.reset();
      put.bind_all(sequencer.next(), subject.deleted);
      put.bind_text(subject.content_hash).bind_text(subject.text).bind(subject.fields);
      put.bind(subject.deleted ? std::optional(now) : std::nullopt);
      put.bind_all(engine_.tenant(), subject.subject_id, queued[i].version);
      if (put.run() > 0 && subject.deleted) {
        Query(connection, "DELETE FROM embeddings WHERE tenant_id = ? AND subject_id = ?")
            .bind_all(engine_.tenant(), subject.subject_id)
            .run();
      }
    }
    sequencer.store();
  });
}

std::vector<FeedSubject> SqliteFeedStore::unembedded(std::string_view space_id,
                                                     std::span<const std::string> subject_ids) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT s.subject_id, s.text, s.content_hash, s.seq FROM feed_subjects s LEFT JOIN embeddings e ON "
        "e.tenant_id = s.tenant_id AND e.space_id = ? AND e.subject_id = s.subject_id AND "
        "e.content_hash = s.content_hash WHERE s.tenant_id = ? AND s.subject_id = ? AND NOT s.deleted "
        "AND e.subject_id IS NULL");
    std::vector<FeedSubject> subjects;
    for (const std::string& id : subject_ids) {
      query.reset();
      if (query.bind_all(space_id, engine_.tenant(), id).step())
        subjects.push_back(sql::read_unembedded(query));
    }
    return subjects;
  });
}

std::int64_t SqliteFeedStore::append(std::span<const FeedEmbedding> embeddings,
                                     std::span<const QueuedSubject> done) {
  return engine_.write([&](Connection& connection) {
    const std::int64_t stored =
        embeddings.empty() ? 0 : append_embeddings(connection, engine_.tenant(), embeddings);
    Query query(
        connection,
        "DELETE FROM embedding_queue WHERE tenant_id = ? AND subject_id = ? AND version + enqueued_at = ?");
    for (const QueuedSubject& subject : done) {
      query.reset();
      query.bind_all(engine_.tenant(), subject.subject_id, subject.version).run();
    }
    return stored;
  });
}

void SqliteFeedStore::failed(const QueuedSubject& subject, std::string_view error) {
  engine_.write([&](Connection& connection) {
    Query(connection,
          "UPDATE embedding_queue SET attempts = attempts + 1, last_error = ? WHERE tenant_id = ? AND "
          "subject_id = ? AND version + enqueued_at = ?")
        .bind_all(error, engine_.tenant(), subject.subject_id, subject.version)
        .run();
  });
}

std::vector<FailedSubject> SqliteFeedStore::failures(int limit) {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT subject_id, attempts, last_error, enqueued_at FROM embedding_queue WHERE tenant_id = ? "
        "AND attempts >= ? ORDER BY enqueued_at, subject_id LIMIT ?");
    query.bind_all(engine_.tenant(), max_attempts, limit);
    return read_rows(query, sql::read_failed<Query>);
  });
}

std::int64_t SqliteFeedStore::retry(std::span<const std::string> subject_ids) {
  return engine_.write([&](Connection& connection) {
    const auto retry = [&](std::string_view subject_id) {
      return std::int64_t{
          Query(connection,
                "UPDATE embedding_queue SET attempts = 0 WHERE tenant_id = ?1 AND attempts >= ?2 "
                "AND (?3 IS NULL OR subject_id = ?3)")
              .bind_all(engine_.tenant(), max_attempts, subject_id)
              .run()};
    };
    if (subject_ids.empty()) return retry({});
    std::int64_t queued = 0;
    for (const std::string& id : subject_ids) queued += retry(id);
    return queued;
  });
}

std::int64_t SqliteFeedStore::trim(TimePoint before, TimePoint now) {
  return engine_.write([&](Connection& connection) {
    Query(connection,
          "UPDATE feed_subjects SET deleted_at = ? WHERE tenant_id = ? AND deleted AND deleted_at IS NULL")
        .bind_all(now, engine_.tenant())
        .run();
    Query(
        connection,
        "UPDATE feed_heads SET trimmed_below = max(trimmed_below, (SELECT ifnull(max(seq), 0) FROM feed_subjects "
        "WHERE tenant_id = ?1 AND deleted AND deleted_at < ?2)) WHERE tenant_id = ?1")
        .bind_all(engine_.tenant(), before)
        .run();
    // The newest of them was all that there was until a younger one came: whoever has read it may stand there still.
    Query(
        connection,
        "DELETE FROM feed_batches WHERE tenant_id = ?1 AND added_at < (SELECT max(added_at) FROM feed_batches WHERE "
        "tenant_id = ?1 AND added_at < ?2)")
        .bind_all(engine_.tenant(), before)
        .run();
    return std::int64_t{
        Query(connection, "DELETE FROM feed_subjects WHERE tenant_id = ? AND deleted AND deleted_at < ?")
            .bind_all(engine_.tenant(), before)
            .run()};
  });
}

FeedBatch SqliteFeedStore::read(std::string_view space_id, const FeedCursor& after, int limit) {
  return engine_.read([&](Connection& connection) {
    FeedBatch batch;
    if (!after.batch_id.empty()) {
      Query known(connection, "SELECT 1 FROM feed_batches WHERE tenant_id = ? AND batch_id = ?");
      batch.lost = !known.bind_all(engine_.tenant(), after.batch_id).step();
      if (batch.lost) return batch;
    }
    Query head(connection, "SELECT seq, batch_id, trimmed_below FROM feed_heads WHERE tenant_id = ?");
    if (head.bind(engine_.tenant()).step()) {
      head.read(batch.last.seq).read(batch.last.batch_id).read(batch.trimmed_below);
    }

    Query subjects(connection,
                   "SELECT subject_id, seq, deleted, content_hash, text, fields FROM feed_subjects "
                   "WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?");
    subjects.bind_all(engine_.tenant(), after.seq, limit);
    batch.subjects = read_rows(subjects, sql::read_subject<Query>);
    if (batch.subjects.size() == static_cast<std::size_t>(limit)) batch.last.seq = batch.subjects.back().seq;

    Query vectors(connection,
                  "SELECT subject_id, seq, content_hash, vector FROM embeddings WHERE tenant_id = ? AND "
                  "space_id = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?");
    vectors.bind_all(engine_.tenant(), space_id, after.seq, batch.last.seq, limit);
    batch.embeddings = read_rows(vectors, sql::read_embedding<Query>);
    for (FeedEmbedding& embedding : batch.embeddings) embedding.space_id = space_id;
    if (batch.embeddings.size() == static_cast<std::size_t>(limit)) {
      // Subjects beyond the last embedding that was read come with the next batch.
      batch.last.seq = batch.embeddings.back().seq;
      std::erase_if(batch.subjects, [&](const FeedSubject& s) { return s.seq > batch.last.seq; });
    }
    return batch;
  });
}

FeedHead SqliteFeedStore::head() {
  return engine_.read([&](Connection& connection) {
    FeedHead head;
    Query feed(connection,
               "SELECT epoch, seq, batch_id, space_id, trimmed_below FROM feed_heads WHERE tenant_id = ?");
    if (feed.bind(engine_.tenant()).step()) {
      feed.read(head.epoch).read(head.seq).read(head.batch_id).read(head.space_id).read(head.trimmed_below);
    }
    Query queue(
        connection,
        "SELECT count(*) FILTER (WHERE attempts < ?1), count(*) FILTER (WHERE attempts >= ?1), "
        "min(enqueued_at) FILTER (WHERE attempts < ?1), max(enqueued_at) FILTER (WHERE attempts < ?1) "
        "FROM embedding_queue WHERE tenant_id = ?2");
    queue.bind_all(max_attempts, engine_.tenant()).step();
    queue.read(head.queued).read(head.failed).read(head.oldest_queued_at).read(head.newest_queued_at);
    Query lease(connection, "SELECT worker FROM worker_leases WHERE tenant_id = ? AND expires_at > ?");
    if (lease.bind_all(engine_.tenant(), system_now()).step()) lease.read(head.worker);
    return head;
  });
}

}  // namespace actionhist::sqlite
