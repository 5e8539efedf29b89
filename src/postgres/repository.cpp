#include "postgres/repository.hpp"

#include "core/refuse.hpp"
#include "postgres/action_store.hpp"
#include "postgres/checkpoint_store.hpp"
#include "postgres/feed_store.hpp"
#include "postgres/guard_view.hpp"
#include "postgres/item_store.hpp"
#include "postgres/learning_store.hpp"
#include "postgres/maintenance_store.hpp"
#include "postgres/metric_store.hpp"
#include "postgres/pattern_store.hpp"
#include "postgres/resource_store.hpp"
#include "postgres/retention_store.hpp"
#include "postgres/space_store.hpp"

namespace actionhist::postgres {
namespace {

class PostgresRepository final : public Repository {
 public:
  PostgresRepository(const std::string& uri, const Options& options)
      : engine_(Target(uri), options.postgres, *options.tenant,
                options.read_only ? Access::read : Access::write) {}

  ActionStore& actions() override { return actions_; }
  ResourceStore& resources() override { return resources_; }
  PatternStore& patterns() override { return patterns_; }
  FeedStore& feed() override { return feed_; }
  SpaceStore& spaces() override { return spaces_; }
  LearningStore& learning() override { return learning_; }
  MetricStore& metrics() override { return metrics_; }
  RetentionStore& retention() override { return retention_; }
  ItemStore& items() override { return items_; }
  CheckpointStore& checkpoints() override { return checkpoints_; }
  MaintenanceStore& maintenance() override { return maintenance_; }
  GuardView guard_view(const GuardQuestion& question, bool lock) override {
    return read_guard_view(engine_, question, lock);
  }
  void await() { engine_.await(); }
  void transaction(const std::function<void()>& work) override { engine_.transaction(work); }
  Clock clock() const override {
    return [this] { return engine_.now(); };
  }
  bool unanswered() const noexcept override { return engine_.unanswered(); }
  const std::string& tenant() const noexcept override { return engine_.tenant(); }

 private:
  Engine engine_;
  PostgresActionStore actions_{engine_};
  PostgresResourceStore resources_{engine_};
  PostgresPatternStore patterns_{engine_};
  PostgresFeedStore feed_{engine_};
  PostgresSpaceStore spaces_{engine_};
  PostgresLearningStore learning_{engine_};
  PostgresMetricStore metrics_{engine_};
  PostgresRetentionStore retention_{engine_};
  PostgresItemStore items_{engine_};
  PostgresCheckpointStore checkpoints_{engine_};
  PostgresMaintenanceStore maintenance_{engine_};
};

}  // namespace

std::unique_ptr<Repository> open_repository(const std::string& uri, const Options& options) {
  validate(options.postgres);
  if (!options.tenant) {
    refuse("tenant", "a server may hold the memory of many; name one (with the program: --tenant)");
  }
  auto repository = std::make_unique<PostgresRepository>(uri, options);
  repository->await();
  if (options.run_migrations && !options.read_only) repository->maintenance().migrate();
  return repository;
}

}  // namespace actionhist::postgres
