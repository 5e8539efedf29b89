// A storage that passes every call on to another one, for tests that watch or change some of them.
#pragma once

#include <memory>
#include <utility>

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

}  // namespace actionhist::test
