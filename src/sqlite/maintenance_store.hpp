// Schema and checks in SQLite. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/repository.hpp>

#include "sqlite/engine.hpp"

namespace actionhist::sqlite {

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
