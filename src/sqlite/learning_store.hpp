// Learning's storage in SQLite. Thread rule and contract: LearningStore.
#pragma once

#include <actionhist/repository.hpp>

#include "sqlite/engine.hpp"

namespace actionhist::sqlite {

class SqliteLearningStore final : public LearningStore {
 public:
  explicit SqliteLearningStore(Engine& engine) : engine_(engine) {}

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

}  // namespace actionhist::sqlite
