// The queue of what waits for its vectors, and the feed that every index follows; a part of Repository, whose rules of
// threads and errors hold here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/json.hpp>
#include <actionhist/space.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

// A row of the embedding queue: this subject changed, and its place in the feed is not yet up to date.
struct QueuedSubject {
  std::string subject_id;
  std::int64_t version = 0;
  int attempts = 0;
};

// A subject as the feed carries it. Subjects are actions.
struct FeedSubject {
  std::string subject_id;
  std::string text;
  Json fields;
  std::string content_hash;  // of `text`
  bool deleted = false;
  std::int64_t seq = 0;
};

struct FeedEmbedding {
  std::string subject_id;
  std::string space_id;
  std::string content_hash;  // of the text that it was made from
  std::vector<float> vector;
  std::int64_t seq = 0;
};

// How far somebody has read. Each transaction that appends to the feed is a batch with an id of its own: after a
// restore, or a failover that lost commits, the same numbers may stand for other rows, but not the same ids.
struct FeedCursor {
  std::int64_t seq = 0;
  std::string batch_id{};  // of the newest batch when this was read; empty: not looked for
};

// Rows after a cursor, by seq, subjects and embeddings each in order.
struct FeedBatch {
  std::vector<FeedSubject> subjects;
  std::vector<FeedEmbedding> embeddings;
  FeedCursor last;                 // to go on from
  bool lost = false;               // the feed does not have the cursor's batch; nothing was read
  std::int64_t trimmed_below = 0;  // as in FeedHead, when this was read
};

struct FeedHead {
  std::string epoch;     // changes when the feed was rebuilt: replicas start over
  std::string space_id;  // the tenant's embedding space, empty if none yet
  std::int64_t seq = 0;
  std::string batch_id;            // of the newest batch, empty if none yet
  std::int64_t trimmed_below = 0;  // deletions before this are no longer told: older replicas start over
  std::int64_t queued = 0;         // rows that wait
  std::int64_t failed = 0;         // of them given up after the last attempt
  std::optional<TimePoint> oldest_queued_at;  // of those that still may succeed, which are taken by this time
  std::optional<TimePoint> newest_queued_at;
  std::string worker;  // who holds the lease, empty if nobody
};

class FeedStore {
 public:
  static constexpr int max_attempts = 5;  // after so many failures a row waits for a person

  virtual ~FeedStore() = default;

  // True when `worker` holds the tenant's lease for about this long from now, by the engine's clock.
  virtual bool lease(std::string_view worker, std::chrono::seconds time) = 0;
  virtual void release(std::string_view worker) = 0;

  // Rows that wait, oldest first, without those that were given up.
  virtual std::vector<QueuedSubject> queued(int limit) = 0;
  // Gives each subject the next seq, unless the row of the queue that it was read for has changed or gone since:
  // then somebody else deals with what is newer, or has. Those whose text did not change keep their embedding.
  // REQUIRES: queued[i] was read before subjects[i], and is of the same subject.
  virtual void sequence(std::span<const FeedSubject> subjects, std::span<const QueuedSubject> queued) = 0;
  // Of these subjects, the ones without an embedding of their present text in the space.
  virtual std::vector<FeedSubject> unembedded(std::string_view space_id,
                                              std::span<const std::string> subject_ids) = 0;
  // Stores embeddings with the next seq, except where the subject's text changed meanwhile or was deleted, or their
  // space is neither known nor the tenant's: then it was dropped. Removes the queue rows of `done` that still have the
  // version they were read with. Returns how many embeddings it stored. REQUIRES: all embeddings are of one space.
  virtual std::int64_t append(std::span<const FeedEmbedding> embeddings,
                              std::span<const QueuedSubject> done) = 0;
  // Counts an attempt and keeps its error.
  virtual void failed(const QueuedSubject& subject, std::string_view error) = 0;
  // Those that were given up, the oldest first.
  virtual std::vector<FailedSubject> failures(int limit) = 0;
  // Queues these, or all if none is named, as if they had never failed; how many it were.
  virtual std::int64_t retry(std::span<const std::string> subject_ids) = 0;
  // Forgets deletions from before this time, and batches but the newest of these. Returns how many deletions.
  virtual std::int64_t trim(TimePoint before, TimePoint now) = 0;

  virtual FeedBatch read(std::string_view space_id, const FeedCursor& after, int limit) = 0;
  virtual FeedHead head() = 0;
};

}  // namespace actionhist
