// Retention in PostgreSQL. Thread rule and contract: RetentionStore.
#pragma once

#include <actionhist/repository.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresRetentionStore final : public RetentionStore {
 public:
  explicit PostgresRetentionStore(Engine& engine) : engine_(engine) {}

  std::optional<RetentionPolicy> default_policy() override;
  void set_policy(const Resource& resource, const std::optional<RetentionPolicy>& policy,
                  TimePoint now) override;
  std::vector<RetentionGroup> groups(std::string_view after, bool own, int limit) override;
  RetentionGroup group(std::string_view resource_id) override;
  RetentionFacts facts(std::string_view resource_id, const RetentionQuestion& question) override;
  bool held(std::span<const ExpiringAction> actions) override;
  std::int64_t remove(std::string_view resource_id, std::span<const ExpiringAction> actions, bool compact,
                      TimePoint now) override;
  std::vector<CompactedActions> compacted(std::string_view resource_id) override;
  std::int64_t remove_alerts(TimePoint before, int limit) override;
  void put(const RetentionOperation& operation) override;
  void give_up(TimePoint before, TimePoint now) override;
  std::vector<RetentionOperation> operations(int limit) override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::postgres
