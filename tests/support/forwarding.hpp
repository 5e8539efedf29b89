// A storage, and a feed, that pass every call on to another one, for tests that watch or change some of them.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <actionhist/repository.hpp>

namespace actionhist::test {

class Forwarding : public Repository {
 public:
  explicit Forwarding(std::unique_ptr<Repository> inner) : inner_(std::move(inner)) {}

  ActionStore& actions() override { return inner_->actions(); }
  ResourceStore& resources() override { return inner_->resources(); }
  PatternStore& patterns() override { return inner_->patterns(); }
  FeedStore& feed() override { return inner_->feed(); }
  SpaceStore& spaces() override { return inner_->spaces(); }
  RetentionStore& retention() override { return inner_->retention(); }
  LearningStore& learning() override { return inner_->learning(); }
  MetricStore& metrics() override { return inner_->metrics(); }
  ItemStore& items() override { return inner_->items(); }
  CheckpointStore& checkpoints() override { return inner_->checkpoints(); }
  MaintenanceStore& maintenance() override { return inner_->maintenance(); }
  GuardView guard_view(const GuardQuestion& question, bool lock) override {
    return inner_->guard_view(question, lock);
  }
  void transaction(const std::function<void()>& work) override { inner_->transaction(work); }
  bool unanswered() const noexcept override { return inner_->unanswered(); }
  Clock clock() const override { return inner_->clock(); }
  const std::string& tenant() const noexcept override { return inner_->tenant(); }

 protected:
  std::unique_ptr<Repository> inner_;
};

class ForwardingFeed : public FeedStore {
 public:
  explicit ForwardingFeed(FeedStore& inner) : inner_(inner) {}

  bool lease(std::string_view worker, std::chrono::seconds time) override {
    return inner_.lease(worker, time);
  }
  void release(std::string_view worker) override { inner_.release(worker); }
  std::vector<QueuedSubject> queued(int limit) override { return inner_.queued(limit); }
  void sequence(std::span<const FeedSubject> subjects, std::span<const QueuedSubject> queued) override {
    inner_.sequence(subjects, queued);
  }
  std::vector<FeedSubject> unembedded(std::string_view space_id, std::span<const std::string> ids) override {
    return inner_.unembedded(space_id, ids);
  }
  std::int64_t append(std::span<const FeedEmbedding> embeddings,
                      std::span<const QueuedSubject> done) override {
    return inner_.append(embeddings, done);
  }
  void failed(const QueuedSubject& subject, std::string_view error) override {
    inner_.failed(subject, error);
  }
  std::vector<FailedSubject> failures(int limit) override { return inner_.failures(limit); }
  std::int64_t retry(std::span<const std::string> ids) override { return inner_.retry(ids); }
  std::int64_t trim(TimePoint before, TimePoint now) override { return inner_.trim(before, now); }
  FeedBatch read(std::string_view space_id, const FeedCursor& after, int limit) override {
    return inner_.read(space_id, after, limit);
  }
  FeedHead head() override { return inner_.head(); }

 protected:
  FeedStore& inner_;
};

}  // namespace actionhist::test
