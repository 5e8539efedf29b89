// Schema and checks in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/repository.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

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
