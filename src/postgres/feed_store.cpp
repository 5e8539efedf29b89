#include "postgres/feed_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "sql/feed_rows.hpp"

namespace actionhist::postgres {
namespace {

// Gives the next `count` numbers of the feed to a batch and keeps the tenant's row until the transaction ends, so that numbers
// are in the order of commits. It is a statement of its own: the next one then sees what the last to keep that row
// has written, as one that had begun before would not.
Call next_numbers(const std::string& tenant, std::size_t count) {
  return {
      // The id is the server's: a second run, after a first one that a failover has lost, is another batch.
      "WITH head AS (INSERT INTO feed_heads AS h (tenant_id, epoch, seq, batch_id) "
      "VALUES ($1, $2, $3, gen_random_uuid()::text) ON CONFLICT (tenant_id) DO UPDATE SET "
      "seq = h.seq + excluded.seq, batch_id = excluded.batch_id RETURNING batch_id) "
      "INSERT INTO feed_batches (tenant_id, batch_id, added_at) SELECT $1, batch_id, now() FROM head",
      Parameters(tenant, uuid_v7(system_now()), static_cast<std::int64_t>(count))};
}

// The number before the first of these $2, and the tenant's space.
constexpr std::string_view numbers =
    "(SELECT seq - $2 AS before, space_id FROM feed_heads WHERE tenant_id = $1) AS head";

// A row that is queued anew starts to count anew, so what is told as its version counts from its time.
constexpr std::string_view queue_version = "q.version + (extract(epoch FROM q.enqueued_at) * 1000000)::int8";

template <class Item, class Member>
std::vector<std::string_view> texts(std::span<const Item> items, Member member) {
  std::vector<std::string_view> values;
  values.reserve(items.size());
  for (const Item& item : items) values.emplace_back(item.*member);
  return values;
}

void add_versions(Parameters& parameters, std::span<const QueuedSubject> queued) {
  std::vector<std::int64_t> versions;
  for (const QueuedSubject& subject : queued) versions.push_back(subject.version);
  parameters.add(versions);
}

}  // namespace

// By the server's clock: by those of the workers, one that is an hour fast would hold the lease for an hour after its
// end.
bool PostgresFeedStore::lease(std::string_view worker, std::chrono::seconds time) {
  // Most calls find the lease with this worker or with another, and need no write.
  const Result held = engine_.run(
      "SELECT worker, expires_at > now(), expires_at > now() + $2 * interval '1 second' / 2 FROM "
      "worker_leases WHERE tenant_id = $1",
      Parameters(engine_.tenant(), std::int64_t{time.count()}));
  Reader reader(held);
  if (reader.next()) {
    const bool own = reader.get<std::string>() == worker;
    const bool holds = reader.get<bool>();
    const bool long_enough = reader.get<bool>();
    if (holds && !own) return false;
    if (own && long_enough) return true;
  }
  return engine_
             .run(
                 "INSERT INTO worker_leases AS l (tenant_id, worker, expires_at) VALUES ($1, $2, now() + $3 * interval "
                 "'1 second') ON CONFLICT (tenant_id) DO UPDATE SET worker = excluded.worker, "
                 "expires_at = excluded.expires_at WHERE l.worker = excluded.worker OR l.expires_at <= now()",
                 Parameters(engine_.tenant(), worker, std::int64_t{time.count()}))
             .affected() > 0;
}

void PostgresFeedStore::release(std::string_view worker) {
  engine_.try_now("DELETE FROM worker_leases WHERE tenant_id = $1 AND worker = $2",
                  Parameters(engine_.tenant(), worker));
}

std::vector<QueuedSubject> PostgresFeedStore::queued(int limit) {
  static const std::string text = fmt::format(
      "SELECT subject_id, {}, attempts FROM embedding_queue q WHERE tenant_id = $1 AND attempts < $2 "
      "ORDER BY enqueued_at, subject_id LIMIT $3",
      queue_version);
  const Result result =
      engine_.run(text, Parameters(engine_.tenant(), std::int64_t{max_attempts}, std::int64_t{limit}));
  return read_rows(result, sql::read_queued<Reader>);
}

void PostgresFeedStore::sequence(std::span<const FeedSubject> subjects,
                                 std::span<const QueuedSubject> queued) {
  if (subjects.empty()) return;
  static const std::string text = fmt::format(
      "WITH input AS (SELECT i.* FROM unnest($3::text[], $4::int8[], $5::bool[], $6::text[], $7::text[], $8::text[]) "
      "WITH ORDINALITY AS i(subject_id, version, deleted, content_hash, text, fields, place) "
      "JOIN embedding_queue q ON q.tenant_id = $1 AND q.subject_id = i.subject_id AND {} = i.version), "
      "gone AS (DELETE FROM embeddings e USING input WHERE input.deleted AND e.tenant_id = $1 AND "
      "e.subject_id = input.subject_id) "
      "INSERT INTO feed_subjects (tenant_id, subject_id, seq, deleted, content_hash, text, fields, deleted_at) "
      "SELECT $1, subject_id, head.before + place, deleted, coalesce(content_hash, ''), coalesce(text, ''), fields, "
      "CASE WHEN deleted THEN now() END "
      "FROM input, {} ON CONFLICT (tenant_id, subject_id) DO UPDATE SET seq = excluded.seq, "
      "deleted = excluded.deleted, content_hash = excluded.content_hash, text = excluded.text, "
      "fields = excluded.fields, deleted_at = excluded.deleted_at",
      queue_version, numbers);
  std::vector<bool> deleted;
  std::vector<std::string_view> fields;
  for (const FeedSubject& subject : subjects) {
    deleted.push_back(subject.deleted);
    fields.emplace_back(subject.fields.text());
  }
  Parameters parameters(engine_.tenant(), static_cast<std::int64_t>(subjects.size()));
  parameters.add_nullable_texts(texts(subjects, &FeedSubject::subject_id));
  add_versions(parameters, queued);
  parameters.add(deleted);
  parameters.add_nullable_texts(texts(subjects, &FeedSubject::content_hash));
  parameters.add_nullable_texts(texts(subjects, &FeedSubject::text));
  parameters.add_nullable_texts(fields);
  std::vector<Call> calls;
  calls.push_back(next_numbers(engine_.tenant(), subjects.size()));
  calls.push_back({text, std::move(parameters), Plan::once});
  engine_.run(std::move(calls));
}

std::vector<FeedSubject> PostgresFeedStore::unembedded(std::string_view space_id,
                                                       std::span<const std::string> subject_ids) {
  // Not a join: in a feed that has just grown, the planner would compare each subject with all embeddings.
  const Result result = engine_.run(
      "SELECT subject_id, text, content_hash, seq FROM feed_subjects WHERE tenant_id = $1 AND subject_id = ANY($3) AND "
      "NOT deleted AND (subject_id, content_hash) NOT IN (SELECT subject_id, content_hash FROM embeddings WHERE "
      "tenant_id = $1 AND space_id = $2 AND subject_id = ANY($3)) ORDER BY seq",
      Parameters(engine_.tenant(), space_id, subject_ids), Plan::once);
  return read_rows(result, sql::read_unembedded<Reader>);
}

std::int64_t PostgresFeedStore::append(std::span<const FeedEmbedding> embeddings,
                                       std::span<const QueuedSubject> done) {
  std::vector<Call> calls;
  static const std::string put = fmt::format(
      "WITH space AS (INSERT INTO embedding_spaces (tenant_id, space_id, dimension) SELECT $1, $3, $4 FROM feed_heads "
      "WHERE tenant_id = $1 AND space_id = $3 ON CONFLICT DO NOTHING) "
      "INSERT INTO embeddings (tenant_id, space_id, subject_id, seq, content_hash, vector) "
      "SELECT $1, $3, i.subject_id, head.before + place, i.content_hash, i.vector FROM {}, "
      "unnest($5::text[], $6::text[], $7::bytea[]) WITH ORDINALITY AS i(subject_id, content_hash, vector, place) "
      "JOIN feed_subjects s ON s.tenant_id = $1 AND s.subject_id = i.subject_id AND "
      "s.content_hash = i.content_hash AND NOT s.deleted "
      "WHERE head.space_id = $3 OR EXISTS (SELECT FROM embedding_spaces WHERE tenant_id = $1 AND space_id = $3) "
      "ON CONFLICT (tenant_id, space_id, subject_id) DO UPDATE SET seq = excluded.seq, "
      "content_hash = excluded.content_hash, vector = excluded.vector",
      numbers);
  if (!embeddings.empty()) {
    std::vector<std::span<const std::byte>> vectors;
    for (const FeedEmbedding& e : embeddings) vectors.push_back(std::as_bytes(std::span(e.vector)));
    Parameters parameters(engine_.tenant(), static_cast<std::int64_t>(embeddings.size()),
                          embeddings.front().space_id,
                          static_cast<std::int64_t>(embeddings.front().vector.size()));
    parameters.add_nullable_texts(texts(embeddings, &FeedEmbedding::subject_id));
    parameters.add_nullable_texts(texts(embeddings, &FeedEmbedding::content_hash));
    parameters.add_byte_arrays(vectors);
    calls.push_back(next_numbers(engine_.tenant(), embeddings.size()));
    calls.push_back({put, std::move(parameters), Plan::once});
  }
  if (!done.empty()) {
    Parameters parameters(engine_.tenant());
    parameters.add_nullable_texts(texts(done, &QueuedSubject::subject_id));
    add_versions(parameters, done);
    static const std::string remove = fmt::format(
        "DELETE FROM embedding_queue q USING unnest($2::text[], $3::int8[]) AS done(subject_id, version) "
        "WHERE q.tenant_id = $1 AND q.subject_id = done.subject_id AND {} = done.version",
        queue_version);
    calls.push_back({remove, std::move(parameters), Plan::once});
  }
  if (calls.empty()) return 0;
  const std::vector<Result> results = engine_.run(std::move(calls));
  return embeddings.empty() ? 0 : results[1].affected();
}

void PostgresFeedStore::failed(const QueuedSubject& subject, std::string_view error) {
  static const std::string text = fmt::format(
      "UPDATE embedding_queue q SET attempts = $4 + 1, last_error = $5 WHERE tenant_id = $1 AND subject_id = $2 AND "
      "{} = $3 AND attempts <= $4",
      queue_version);
  engine_.run(text, Parameters(engine_.tenant(), subject.subject_id, subject.version,
                               std::int64_t{subject.attempts}, error));
}

std::vector<FailedSubject> PostgresFeedStore::failures(int limit) {
  const Result result = engine_.run(
      "SELECT subject_id, attempts, last_error, enqueued_at FROM embedding_queue WHERE tenant_id = $1 AND "
      "attempts >= $2 ORDER BY enqueued_at, subject_id LIMIT $3",
      Parameters(engine_.tenant(), std::int64_t{max_attempts}, std::int64_t{limit}));
  return read_rows(result, sql::read_failed<Reader>);
}

std::int64_t PostgresFeedStore::retry(std::span<const std::string> subject_ids) {
  return engine_
      .run(
          "UPDATE embedding_queue SET attempts = 0 WHERE tenant_id = $1 AND attempts >= $2 AND "
          "($4 OR subject_id = ANY($3))",
          Parameters(engine_.tenant(), std::int64_t{max_attempts}, subject_ids, subject_ids.empty()),
          Plan::once)
      .affected();
}

std::int64_t PostgresFeedStore::trim(TimePoint before, TimePoint now) {
  const std::string& tenant = engine_.tenant();
  std::vector<Call> calls;
  calls.push_back(
      {"UPDATE feed_subjects SET deleted_at = $2 WHERE tenant_id = $1 AND deleted AND deleted_at IS NULL",
       Parameters(tenant, now), Plan::once});
  calls.push_back(
      {"UPDATE feed_heads SET trimmed_below = greatest(trimmed_below, (SELECT coalesce(max(seq), 0) FROM feed_subjects "
       "WHERE tenant_id = $1 AND deleted AND deleted_at < $2)) WHERE tenant_id = $1",
       Parameters(tenant, before), Plan::once});
  // The newest of them was all that there was until a younger one came: whoever has read it may stand there still.
  calls.push_back(
      {"DELETE FROM feed_batches WHERE tenant_id = $1 AND added_at < (SELECT max(added_at) FROM feed_batches WHERE "
       "tenant_id = $1 AND added_at < $2)",
       Parameters(tenant, before), Plan::once});
  calls.push_back({"DELETE FROM feed_subjects WHERE tenant_id = $1 AND deleted AND deleted_at < $2",
                   Parameters(tenant, before), Plan::once});
  return engine_.run(std::move(calls)).back().affected();
}

FeedBatch PostgresFeedStore::read(std::string_view space_id, const FeedCursor& after, int limit) {
  const std::string& tenant = engine_.tenant();
  std::vector<Call> calls;
  // Before the rows: one that moves on while this reads is beyond the head then, and comes with a later batch.
  calls.push_back({"SELECT seq, batch_id FROM feed_heads WHERE tenant_id = $1", Parameters(tenant)});
  calls.push_back(
      {"SELECT subject_id, seq, deleted, content_hash, text, fields FROM feed_subjects "
       "WHERE tenant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
       Parameters(tenant, after.seq, std::int64_t{limit})});
  calls.push_back(
      {"SELECT subject_id, seq, content_hash, vector FROM embeddings WHERE tenant_id = $1 AND "
       "space_id = $4 AND seq > $2 ORDER BY seq LIMIT $3",
       Parameters(tenant, after.seq, std::int64_t{limit}, space_id)});
  // After the rows, so that no deletion can be forgotten between the two.
  calls.push_back(
      {"SELECT trimmed_below, EXISTS (SELECT FROM feed_batches WHERE tenant_id = $1 AND batch_id = $2) FROM "
       "feed_heads WHERE tenant_id = $1",
       Parameters(tenant, after.batch_id)});
  const std::vector<Result> results = engine_.run(std::move(calls));

  FeedBatch batch;
  bool known = false;
  if (Reader head(results[3]); head.next()) head.read(batch.trimmed_below).read(known);
  batch.lost = !known && !after.batch_id.empty();
  if (batch.lost) return batch;
  if (Reader head(results[0]); head.next()) head.read(batch.last.seq).read(batch.last.batch_id);
  batch.subjects = read_rows(results[1], sql::read_subject<Reader>);
  batch.embeddings = read_rows(results[2], sql::read_embedding<Reader>);
  for (FeedEmbedding& embedding : batch.embeddings) embedding.space_id = space_id;
  // Where a list was cut, what the other holds beyond it comes with the next batch.
  const auto full = [&](const auto& rows) { return rows.size() == static_cast<std::size_t>(limit); };
  if (full(batch.subjects)) batch.last.seq = std::min(batch.last.seq, batch.subjects.back().seq);
  if (full(batch.embeddings)) batch.last.seq = std::min(batch.last.seq, batch.embeddings.back().seq);
  const auto beyond = [&](const auto& row) { return row.seq > batch.last.seq; };
  std::erase_if(batch.subjects, beyond);
  std::erase_if(batch.embeddings, beyond);
  return batch;
}

FeedHead PostgresFeedStore::head() {
  // Without retries: health() asks this.
  const Result result = engine_.try_now(
      "SELECT h.epoch, h.space_id, coalesce(h.seq, 0), h.batch_id, coalesce(h.trimmed_below, 0), q.queued, q.failed, q.oldest, q.newest, l.worker FROM "
      "(SELECT count(*) FILTER (WHERE attempts < $2) AS queued, count(*) FILTER (WHERE attempts >= $2) AS failed, "
      "min(enqueued_at) FILTER (WHERE attempts < $2) AS oldest, max(enqueued_at) FILTER (WHERE attempts < $2) AS newest "
      "FROM embedding_queue WHERE tenant_id = $1) q "
      "LEFT JOIN feed_heads h ON h.tenant_id = $1 "
      "LEFT JOIN worker_leases l ON l.tenant_id = $1 AND l.expires_at > now()",
      Parameters(engine_.tenant(), std::int64_t{max_attempts}));
  FeedHead head;
  Reader reader(result);
  if (reader.next()) {
    reader.read(head.epoch).read(head.space_id).read(head.seq).read(head.batch_id);
    reader.read(head.trimmed_below);
    reader.read(head.queued).read(head.failed).read(head.oldest_queued_at).read(head.newest_queued_at);
    reader.read(head.worker);
  }
  return head;
}

}  // namespace actionhist::postgres
