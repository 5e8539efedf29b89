#include "sqlite/repository.hpp"

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "sqlite/action_store.hpp"
#include "sqlite/checkpoint_store.hpp"
#include "sqlite/feed_store.hpp"
#include "sqlite/item_store.hpp"
#include "sqlite/learning_store.hpp"
#include "sqlite/maintenance_store.hpp"
#include "sqlite/metric_store.hpp"
#include "sqlite/pattern_store.hpp"
#include "sqlite/resource_store.hpp"
#include "sqlite/retention_store.hpp"
#include "sqlite/space_store.hpp"

namespace actionhist::sqlite {
namespace {

class SqliteRepository final : public Repository {
 public:
  SqliteRepository(OpenOptions options, const std::string& tenant) : engine_(std::move(options), tenant) {}

  ActionStore& actions() override { return actions_; }
  ResourceStore& resources() override { return resources_; }
  PatternStore& patterns() override { return patterns_; }
  FeedStore& feed() override { return feed_; }
  SpaceStore& spaces() override { return spaces_; }
  RetentionStore& retention() override { return retention_; }
  LearningStore& learning() override { return learning_; }
  MetricStore& metrics() override { return metrics_; }
  ItemStore& items() override { return items_; }
  CheckpointStore& checkpoints() override { return checkpoints_; }
  MaintenanceStore& maintenance() override { return maintenance_; }
  void transaction(const std::function<void()>& work) override {
    engine_.write([&](Connection&) { work(); });
  }
  const std::string& tenant() const noexcept override { return engine_.tenant(); }

 private:
  Engine engine_;
  SqliteActionStore actions_{engine_};
  SqliteResourceStore resources_{engine_};
  SqlitePatternStore patterns_{engine_};
  SqliteFeedStore feed_{engine_};
  SqliteSpaceStore spaces_{engine_};
  SqliteRetentionStore retention_{engine_};
  SqliteLearningStore learning_{engine_};
  SqliteMetricStore metrics_{engine_};
  SqliteItemStore items_{engine_};
  SqliteCheckpointStore checkpoints_{engine_};
  SqliteMaintenanceStore maintenance_{engine_};
};

constexpr std::string_view immutable = "?immutable=1";

}  // namespace

std::unique_ptr<Repository> open_repository(std::string path, const Options& options) {
  OpenOptions file{std::move(path), options.read_only, options.busy_timeout};
  if (file.path.ends_with(immutable)) {
    if (!options.read_only) {
      throw Error(ErrorCode::invalid_argument,
                  "uri: what is immutable can only be read; open it with read_only");
    }
    file.immutable = true;
    file.path.resize(file.path.size() - immutable.size());
  }
  auto repository = std::make_unique<SqliteRepository>(file, options.tenant.value_or("default"));
  if (options.run_migrations && !options.read_only) repository->maintenance().migrate();
  const EngineInfo info = repository->maintenance().info();
  if (info.schema_version > info.schema_latest) {
    throw Error(ErrorCode::unsupported,
                fmt::format("database \"{}\" has schema {}, newer than this library's {}; update the library",
                            file.path, info.schema_version, info.schema_latest));
  }
  return repository;
}

}  // namespace actionhist::sqlite
