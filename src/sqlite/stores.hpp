// The other parts of the repository in SQLite. Thread rule and contracts: the interfaces.
#pragma once

#include <actionhist/repository.hpp>

#include "sqlite/engine.hpp"

namespace actionhist::sqlite {

class SqliteResourceStore final : public ResourceStore {
 public:
  explicit SqliteResourceStore(Engine& engine) : engine_(engine) {}

  void seen(const Resource& resource, TimePoint at) override;
  bool deleted(const Resource& resource, TimePoint at) override;
  std::vector<Resource> named(const Resource& resource, bool gone) override;
  void observe(const Alert& alert) override;
  std::vector<Alert> alerts(TimePoint since, TimePoint until) override;
  EarlierAlerts earlier_alerts(const EarlierAlertQuery& query) override;
  std::optional<TimePoint> alert_end(std::string_view fingerprint, TimePoint since, TimePoint until) override;

 private:
  Engine& engine_;
};

class SqlitePatternStore final : public PatternStore {
 public:
  explicit SqlitePatternStore(Engine& engine) : engine_(engine) {}

  std::vector<Pattern> patterns() override;
  void put(const Pattern& pattern) override;
  bool remove(std::string_view pattern_id) override;
  bool shipped() override;
  bool mark_shipped(TimePoint now) override;
  Detection put(const Detection& detection) override;
  std::vector<Detection> in_force(std::span<const Scope> scopes, TimePoint now) override;
  std::optional<Detection> detection(std::string_view detection_id) override;
  std::vector<Detection> detections(const DetectionQuery& query) override;

 private:
  Engine& engine_;
};

class SqliteFeedStore final : public FeedStore {
 public:
  explicit SqliteFeedStore(Engine& engine) : engine_(engine) {}

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

class SqliteSpaceStore final : public SpaceStore {
 public:
  explicit SqliteSpaceStore(Engine& engine) : engine_(engine) {}

  std::vector<EmbeddingSpace> spaces(bool counted) override;
  void put(std::string_view space_id, std::int64_t dimension, TimePoint now) override;
  std::string active() override;
  bool activate(std::string_view space_id, std::string_view expected, TimePoint now) override;
  bool drop(std::string_view space_id) override;
  bool lease(std::string_view space_id, std::string_view worker, std::chrono::seconds time) override;
  void release(std::string_view space_id, std::string_view worker) override;
  std::vector<FeedSubject> missing(std::string_view space_id, std::int64_t after, int limit) override;
  std::int64_t queue_unknown(TimePoint now, int limit) override;
  void refuse(const FeedSubject& subject, std::string_view error, TimePoint now) override;
  std::optional<std::string> model(std::string_view space_id) override;
  void put_model(std::string_view space_id, std::string_view bytes) override;

 private:
  Engine& engine_;
};

class SqliteMaintenanceStore final : public MaintenanceStore {
 public:
  explicit SqliteMaintenanceStore(Engine& engine) : engine_(engine) {}

  void migrate() override;
  std::string migration_script() override;
  std::vector<std::string> verify() override;
  EngineInfo info() override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::sqlite
