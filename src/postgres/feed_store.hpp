// The queue and the feed in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/feed_store.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresFeedStore final : public FeedStore {
 public:
  explicit PostgresFeedStore(Engine& engine) : engine_(engine) {}

  bool lease(std::string_view worker, std::chrono::seconds time) override;
  void release(std::string_view worker) override;
  std::vector<QueuedSubject> queued(int limit) override;
  void sequence(std::span<const FeedSubject> subjects, std::span<const QueuedSubject> queued) override;
  std::vector<FeedSubject> unembedded(std::string_view space_id,
                                      std::span<const std::string> subject_ids) override;
  std::int64_t append(std::span<const FeedEmbedding> embeddings,
                      std::span<const QueuedSubject> done) override;
  void failed(const QueuedSubject& subject, std::string_view error) override;
  std::vector<FailedSubject> failures(int limit) override;
  std::int64_t retry(std::span<const std::string> subject_ids) override;
  std::int64_t trim(TimePoint before, TimePoint now) override;
  FeedBatch read(std::string_view space_id, const FeedCursor& after, int limit) override;
  FeedHead head() override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::postgres
