// The parts of the repository in PostgreSQL. Thread rule and contracts: the interfaces.
#pragma once

#include <actionhist/repository.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresActionStore final : public ActionStore {
 public:
  explicit PostgresActionStore(Engine& engine) : engine_(engine) {}

  std::vector<Trace> insert(std::span<const Trace> traces) override;
  void insert_new(const RecentTrace& trace) override;
  std::optional<Trace> get(std::string_view action_id) override;
  std::vector<Trace> get(std::span<const std::string> action_ids) override;
  Page find(const ActionQuery& query) override;
  std::optional<Trace> get_to_update(std::string_view action_id) override;
  void update(const Trace& trace, const Trace& before) override;
  bool remove(std::string_view action_id, TimePoint now) override;
  void lock(std::span<const Scope> scopes) override;
  std::vector<Trace> recent(const Scope& scope, TimePoint since, TimePoint until, int limit,
                            std::optional<Effect> effect) override;
  std::vector<Trace> search_text(std::span<const std::string> words, const Json& where, int limit) override;
  std::vector<Summary> summaries(std::optional<TimePoint> changed_since, TimePoint now, int limit) override;

 private:
  bool insert_fresh(std::span<const Trace* const> rows);
  std::vector<Trace> insert_known(std::vector<const Trace*> rows);

  Engine& engine_;
};

class PostgresResourceStore final : public ResourceStore {
 public:
  explicit PostgresResourceStore(Engine& engine) : engine_(engine) {}

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

class PostgresPatternStore final : public PatternStore {
 public:
  explicit PostgresPatternStore(Engine& engine) : engine_(engine) {}

  std::vector<Pattern> patterns() override;
  void lock() override;
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

class PostgresSpaceStore final : public SpaceStore {
 public:
  explicit PostgresSpaceStore(Engine& engine) : engine_(engine) {}

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

class PostgresLearningStore final : public LearningStore {
 public:
  explicit PostgresLearningStore(Engine& engine) : engine_(engine) {}

  std::vector<Tally> tally(const TallyQuery& query) override;
  void put(const OverrideRecord& record) override;
  std::vector<OverrideRecord> overrides(TimePoint since, TimePoint until, int limit) override;
  GuardPolicy guard_policy(std::string_view resource_id) override;
  void set_guard_policy(std::string_view resource_id, const GuardPolicy& policy, TimePoint now) override;
  std::vector<Detection> unsettled(TimePoint until, TimePoint judged, int limit) override;
  void refresh_pattern_rates() override;
  std::vector<Trace> lease_assessments(std::string_view worker, TimePoint now, TimePoint until,
                                       int limit) override;
  bool lease(Duty duty, std::string_view worker, TimePoint now, TimePoint until) override;
  std::vector<DueAnalysis> lease_analyses(TimePoint now, TimePoint until, TimePoint active,
                                          int limit) override;
  void analysed(const DueAnalysis& done, TimePoint next) override;

 private:
  Engine& engine_;
};

class PostgresMetricStore final : public MetricStore {
 public:
  explicit PostgresMetricStore(Engine& engine) : engine_(engine) {}

  void mark_scored(std::span<const TimePoint> times) override;
  void mark_all_scored() override;
  std::vector<ScoredHour> scored_hours(int limit) override;
  void forget(std::span<const ScoredHour> hours) override;
  std::vector<ScoredAction> scores(TimePoint since, TimePoint until) override;
  void replace(MetricPeriod period, TimePoint start, std::span<const KeptMetric> metrics) override;
  std::vector<KeptMetric> kept(MetricPeriod period, TimePoint start) override;
  std::vector<EffectivenessMetric> metrics(const MetricQuery& query) override;

 private:
  Engine& engine_;
};

class PostgresMaintenanceStore final : public MaintenanceStore {
 public:
  explicit PostgresMaintenanceStore(Engine& engine) : engine_(engine) {}

  void migrate() override;
  std::string migration_script() override;
  std::vector<std::string> verify() override;
  EngineInfo info() override;

 private:
  int applied_version(bool at_once);
  void apply_migrations();

  Engine& engine_;
};

}  // namespace actionhist::postgres
