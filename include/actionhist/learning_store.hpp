// What learning needs of the storage beside the actions themselves: rates of success, and whose turn it is to judge.
// Thread rule and atomicity: as Repository says.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/detection.hpp>
#include <actionhist/json.hpp>

namespace actionhist {

struct TallyQuery {
  std::string alert_name;
  std::string namespace_;
  std::string resource_id;
  Json where;           // as in ActionQuery
  int newest = 20'000;  // how many of the newest actions are looked at
};

// Actions of one type that agree or disagree with the query in the same ways.
struct Tally {
  std::string action_type;
  bool same_alert = false;
  bool same_namespace = false;
  bool same_resource = false;
  std::int64_t actions = 0;
  std::int64_t known = 0;  // of them with an outcome: a score, or failed
  double success = 0;      // sum of the scores; a failure without a score counts 0
};

// A resource that has to be analysed, and the change of it that is known by then, by the clock of whoever made it.
struct DueAnalysis {
  std::string resource_id;
  TimePoint changed_at{};
};

// What one process does at a time.
enum class Duty { upkeep, metrics };
std::string_view to_string(Duty duty) noexcept;
// No lease of it is longer: one that ends later is of a clock that was set back since, and counts no more.
std::chrono::microseconds longest_lease(Duty duty) noexcept;

class LearningStore {
 public:
  virtual ~LearningStore() = default;

  // Counts the newest mutating actions that pass the filter. What the query leaves empty is never the same.
  virtual std::vector<Tally> tally(const TallyQuery& query) = 0;

  // Who let what pass; the newest first.
  virtual void put(const OverrideRecord& record) = 0;
  virtual std::vector<OverrideRecord> overrides(TimePoint since, TimePoint until, int limit) = 0;

  // What the guard takes for one resource; nothing set is all absent.
  virtual GuardPolicy guard_policy(std::string_view resource_id) = 0;
  virtual void set_guard_policy(std::string_view resource_id, const GuardPolicy& policy, TimePoint now) = 0;

  // Detections before `until` that are unresolved, and those before `judged` whose prevention nobody judged, oldest
  // first.
  virtual std::vector<Detection> unsettled(TimePoint until, TimePoint judged, int limit) = 0;
  // Counts each pattern's rates anew from its detections.
  virtual void refresh_pattern_rates() = 0;

  // Ended actions whose assessment is due at `now` and that nobody has leased, oldest due first; leased to
  // `worker` until `until`.
  virtual std::vector<Trace> lease_assessments(std::string_view worker, TimePoint now, TimePoint until,
                                               int limit) = 0;

  // True when `worker` has the tenant's duty until `until`; it may hold on, and give up by an earlier `until`.
  virtual bool lease(Duty duty, std::string_view worker, TimePoint now, TimePoint until) = 0;
  // Resources with an action since `active` whose last change is not the one that their last analysis knew and that
  // are due at `now`, those that wait longest first; due again only at `until`. Times of changes are only told apart,
  // never put in order, because they come from the clocks of many agents.
  virtual std::vector<DueAnalysis> lease_analyses(TimePoint now, TimePoint until, TimePoint active,
                                                  int limit) = 0;
  // Notes that the resource was analysed as it was when it was leased, and is not due before `next`.
  virtual void analysed(const DueAnalysis& done, TimePoint next) = 0;
};

}  // namespace actionhist
