// Resources in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/resource_store.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

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

}  // namespace actionhist::postgres
