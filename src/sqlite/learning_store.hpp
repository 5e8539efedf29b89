// Learning's storage in SQLite. Thread rule and contract: LearningStore.
#pragma once

#include <actionhist/repository.hpp>

#include "sqlite/engine.hpp"

namespace actionhist::sqlite {

class SqliteLearningStore final : public LearningStore {
 public:
  explicit SqliteLearningStore(Engine& engine) : engine_(engine) {}

  std::vector<Tally> tally(const TallyQuery& query) override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::sqlite
