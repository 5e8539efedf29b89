// What was learnt in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/learning_store.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

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

}  // namespace actionhist::postgres
