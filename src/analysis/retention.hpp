// Which actions of a resource go under a policy, and why. Pure: what is stored and the time are arguments.
// Functions may be called from any thread.
#pragma once

#include <optional>

#include <actionhist/repository.hpp>
#include <actionhist/retention.hpp>

namespace actionhist {

// What must be known to plan for a group of `total` actions; nothing when none can go. Actions since
// `guarded_since` never go, because the guard still reads them.
std::optional<RetentionQuestion> retention_question(const RetentionPolicy& policy, std::int64_t total,
                                                    TimePoint now, TimePoint guarded_since);

// The plan for one group. By age go all that are older than the policy allows; by score those assessed below
// its minimum; by count what is then too many: the oldest first or, effectiveness-based, the least effective
// of the assessed and the oldest of the unassessed, each in proportion to their number.
// REQUIRES: `facts` answer retention_question(); candidates are sorted by time and id.
RetentionPlan plan_retention(const RetentionPolicy& policy, const RetentionFacts& facts, TimePoint now,
                             TimePoint guarded_since);

// The columns retention_criteria and preserved_criteria of an operation.
Json retention_criteria(const RetentionPolicy& policy);
Json preserved_criteria(const RetentionPlan& plan, TimePoint guarded_since);

}  // namespace actionhist
