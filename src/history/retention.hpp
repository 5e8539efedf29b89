// Plans and removes by policy, one resource after the other. One thread a run.
#pragma once

#include <functional>

#include <actionhist/repository.hpp>

namespace actionhist {

// The policy that counts for a group: its own, or else the default; a hold that covers it holds, and one of the default
// holds all.
RetentionPolicy policy_of(const RetentionGroup& group, const std::optional<RetentionPolicy>& fallback);

class Retention {
 public:
  // `request` must live as long as the run. Throws Error: invalid_argument.
  Retention(Repository& repository, const Clock& clock, const RetentionRequest& request);

  std::vector<RetentionPlan> plan();
  RetentionRun apply();

 private:
  // Visits the groups of the request; `visit` may change the store.
  void for_each_group(const std::function<void(const RetentionGroup&)>& visit);
  RetentionPlan plan_of(const RetentionGroup& group) const;
  // Since when the guard reads the group's actions: for the longest window of an active pattern, or that of the
  // resource's own policy.
  TimePoint guarded_since(const RetentionGroup& group) const;
  RetentionPolicy wanted_policy(const RetentionGroup& group) const;

  // All plans of a group until nothing goes.
  void apply_to(const RetentionGroup& group);
  // Those beyond the age that counts for actions without a known resource.
  void apply_to_alerts();
  RetentionOperation begin(const RetentionGroup& group, const RetentionPlan& plan) const;
  // False when the policy changed meanwhile, so that the plan means nothing any more.
  bool carry_out(const RetentionPlan& plan, RetentionOperation& operation);
  void finish(RetentionOperation operation, std::string_view error);
  void tell(std::string_view resource_id) const;

  Repository& repository_;
  const Clock& clock_;
  const RetentionRequest& request_;
  TimePoint started_;
  TimePoint guarded_since_;         // actions, by the guard
  TimePoint guarded_alerts_since_;  // alerts
  std::optional<RetentionPolicy> default_;
  std::string resource_id_;  // of the request, empty for all
  RetentionRun run_;
  RetentionProgress progress_;
};

}  // namespace actionhist
