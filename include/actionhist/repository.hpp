// Where the memory is kept. Two engines implement it; History is written against it alone.
// A Repository may be used from any thread at once. Every method is atomic by itself; transaction() makes
// several calls one. A Repository belongs to one tenant: no call can name another. In the child of a fork() calls
// throw Error: unsupported and the destructor touches nothing; so do Items and Checkpoints, which are made of it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <actionhist/action_store.hpp>
#include <actionhist/checkpoint_store.hpp>
#include <actionhist/feed_store.hpp>
#include <actionhist/guard_view.hpp>
#include <actionhist/item_store.hpp>
#include <actionhist/learning_store.hpp>
#include <actionhist/metric_store.hpp>
#include <actionhist/pattern_store.hpp>
#include <actionhist/resource_store.hpp>
#include <actionhist/retention_store.hpp>
#include <actionhist/space.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

struct EngineInfo {
  std::string engine;    // "sqlite"
  std::string location;  // without secrets
  std::string version;
  int schema_version = 0;
  int schema_latest = 0;
  bool durable = true;  // false in memory
};

class MaintenanceStore {
 public:
  virtual ~MaintenanceStore() = default;

  // Brings the schema up to date, with the indexes that the options name; does nothing when it is.
  virtual void migrate() = 0;
  // What migrate() would run, as text.
  virtual std::string migration_script() = 0;
  // Checks the stored data as far as the engine can; a list of what is wrong, empty when all is well.
  virtual std::vector<std::string> verify() = 0;
  virtual EngineInfo info() = 0;
};

class Repository {
 public:
  virtual ~Repository() = default;

  virtual ActionStore& actions() = 0;
  virtual ResourceStore& resources() = 0;
  virtual PatternStore& patterns() = 0;
  virtual FeedStore& feed() = 0;
  virtual SpaceStore& spaces() = 0;
  virtual RetentionStore& retention() = 0;
  virtual LearningStore& learning() = 0;
  virtual MetricStore& metrics() = 0;
  virtual ItemStore& items() = 0;
  virtual CheckpointStore& checkpoints() = 0;
  virtual MaintenanceStore& maintenance() = 0;

  // Reads what a proposal is decided on. With `lock`, what is read can change only after this transaction: the
  // guard heads of the scopes are taken first.
  // REQUIRES: with `lock`, inside transaction().
  virtual GuardView guard_view(const GuardQuestion& question, bool lock);

  // Runs `work` as one transaction: all of its writes or, when it throws, none. It may run more than once.
  // A transaction inside a transaction joins the outer one.
  virtual void transaction(const std::function<void()>& work) = 0;

  // Inside of transaction(): whether an earlier run of it may have been committed, because the answer was lost.
  virtual bool unanswered() const noexcept { return false; }

  // The clock that everybody who shares the memory goes by: the database's own where they may be on other machines.
  // It is read without asking anybody, and must not be used after the repository.
  virtual Clock clock() const { return system_now; }

  virtual const std::string& tenant() const noexcept = 0;
};

}  // namespace actionhist
