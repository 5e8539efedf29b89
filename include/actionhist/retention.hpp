// How long actions are kept. Nothing expires until a policy says so; then a plan says what would go and why,
// and applying it removes exactly that, in small transactions. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>

namespace actionhist {

// Which actions go first, and which are worth keeping beyond their time.
enum class RetentionStrategy {
  oldest_first,         // by time alone
  effectiveness_based,  // the least effective first; the most effective ones stay
  pattern_aware,        // the oldest first; what detections cite and the most effective ones stay
};

std::string_view to_string(RetentionStrategy strategy) noexcept;  // "oldest-first"
RetentionStrategy parse_retention_strategy(std::string_view text,
                                           std::string_view field = "compaction_strategy");

struct RetentionPolicy {
  std::optional<std::int64_t> max_actions;   // of one resource, at least 1; absent: any number
  std::optional<std::chrono::days> max_age;  // at least 1 day; absent: for ever
  RetentionStrategy strategy = RetentionStrategy::pattern_aware;
  // effectiveness_based: what was assessed below this goes whatever its age. Unassessed is not ineffective.
  std::optional<double> min_effectiveness;
  int pattern_examples = 5;     // pattern_aware: the actions of this many newest detections of a pattern stay
  int high_effectiveness = 10;  // this many best assessed actions of a resource stay, unless oldest_first
  bool legal_hold = false;      // nothing goes, and erase() is refused
  bool compact = false;         // what goes leaves its sums behind

  friend bool operator==(const RetentionPolicy&, const RetentionPolicy&) = default;
};

// {"max_actions": 1000, "max_age_days": 30, "compaction_strategy": "pattern-aware", …}
// Throws Error: invalid_argument, naming the field.
RetentionPolicy parse_retention_policy(std::string_view json);
std::string to_json(const RetentionPolicy& policy);
void validate(const RetentionPolicy& policy);

// A policy that was set: for one resource, or for all others when there is no resource.
struct RetentionRule {
  std::string resource_id;
  Resource resource;
  RetentionPolicy policy;
};

std::string to_json(const RetentionRule& rule);

enum class RetentionReason { age, count, score };

std::string_view to_string(RetentionReason reason) noexcept;

struct ExpiringAction {
  std::string action_id;
  TimePoint time{};
  RetentionReason reason{};

  friend bool operator==(const ExpiringAction&, const ExpiringAction&) = default;
};

// What would go from one resource; actions whose resource is not known form one group without an id.
struct RetentionPlan {
  std::string resource_id;
  Resource resource;
  RetentionPolicy policy;
  std::int64_t records_before = 0;
  std::vector<ExpiringAction> going;  // oldest first
  // Of those that the plan looked at, what stays although it is old or too many.
  std::int64_t kept_cited = 0;    // detections cite them
  std::int64_t kept_best = 0;     // the most effective ones
  std::int64_t kept_open = 0;     // pending or executing; they go by age only
  std::int64_t kept_guarded = 0;  // in the window of an active pattern: the guard still needs them
  std::int64_t kept_held = 0;     // done to a resource under a legal hold, whose owner has none
  bool partial = false;           // more may go after these; apply_retention() goes on by itself

  // More than the policy's number will be left.
  bool too_many_stay() const noexcept {
    return policy.max_actions &&
           records_before - static_cast<std::int64_t>(going.size()) > *policy.max_actions;
  }
};

std::string to_json(const RetentionPlan& plan);

// One row of `retention_operations`: what a run did to one resource, written before it begins and with each
// of its transactions.
struct RetentionOperation {
  std::string operation_id;
  std::string run_id;          // the same for all that one call did
  std::string resource_id;     // empty for actions whose resource is not known
  std::string operation_type;  // cleanup, compact, archive, restore
  std::string strategy_used;
  std::int64_t records_before = 0;
  std::int64_t records_after = 0;
  std::int64_t records_deleted = 0;
  std::optional<std::int64_t> records_archived;  // of them, those whose sums or rows were kept elsewhere
  Json retention_criteria;                       // {"max_age_days": 30}
  Json preserved_criteria;                       // {"pattern_examples": 5, "kept_cited": 2}
  TimePoint operation_start{};
  std::optional<TimePoint> operation_end;
  std::optional<std::int64_t> operation_duration_ms;
  std::string operation_status;  // running, completed, failed
  std::string error_message;
  TimePoint created_at{};
  TimePoint updated_at{};
};

std::string to_json(const RetentionOperation& operation);

// What is left of actions that went under a policy with `compact`: sums that can be added up further.
struct CompactedActions {
  std::string resource_id;
  std::string action_type;
  std::string alert_name;
  TimePoint period_start{};  // of the month in UTC
  std::int64_t actions = 0;
  std::int64_t completed = 0;
  std::int64_t failed = 0;  // failed, rolled back or escalated
  std::int64_t assessed = 0;
  double score_sum = 0;
  double score_square_sum = 0;
  std::int64_t timed = 0;  // with a known duration
  std::int64_t duration_ms_sum = 0;
  TimePoint first_at{};
  TimePoint last_at{};
};

std::string to_json(const CompactedActions& actions);

struct RetentionProgress {
  std::string resource_id;  // that is being dealt with
  std::int64_t groups = 0;  // resources in all, and one for unknown ones
  std::int64_t groups_done = 0;
  std::int64_t removed = 0;  // actions so far
};

struct RetentionRequest {
  Resource resource;                      // kind and name; all resources if empty
  std::optional<RetentionPolicy> policy;  // instead of those that were set; a legal hold holds all the same
  int batch = 500;                        // actions in one transaction, 1 to 10,000
  // Called after each transaction and each resource. What it throws ends the run after that transaction.
  std::function<void(const RetentionProgress&)> progress = {};
};

struct RetentionRun {
  std::string run_id;
  std::int64_t removed = 0;
  std::int64_t alerts = 0;                     // firings of alerts that went
  std::vector<RetentionOperation> operations;  // at least one
};

std::string to_json(const RetentionRun& run);

}  // namespace actionhist
