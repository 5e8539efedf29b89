// What retention reads and removes; a part of Repository, whose rules of threads and errors hold here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/resource.hpp>
#include <actionhist/retention.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

// The actions of one resource, or those whose resource is not known (then without an id): a policy's unit.
struct RetentionGroup {
  std::string resource_id;
  Resource resource;
  std::int64_t total = 0;                // actions
  std::optional<RetentionPolicy> own{};  // absent: the default policy counts
  bool held = false;  // a legal hold covers it: its own, or one that leaves out what it has
};

// What a plan needs to know of an action.
struct RetentionCandidate {
  std::string action_id;
  TimePoint time{};
  Status status{};
  std::optional<double> score;
  bool held = false;  // as by RetentionStore::held()
};

struct RetentionQuestion {
  TimePoint before{};  // only actions earlier than this
  int limit = 0;       // the oldest ones, if there are more
  int best = 0;        // how many of the best assessed actions to name
  int examples = 0;    // how many detections of each pattern to name the actions of
  TimePoint now{};
};

struct RetentionFacts {
  std::int64_t total = 0;
  std::vector<RetentionCandidate> candidates;  // by time and id
  bool more = false;                           // there were more than `limit`
  std::vector<std::string> best;
  std::vector<std::string> cited;  // by those detections, and by all that are in force
};

class RetentionStore {
 public:
  virtual ~RetentionStore() = default;

  // The policy for resources without one of their own.
  virtual std::optional<RetentionPolicy> default_policy() = 0;
  // Sets the policy of a resource, or the default for an empty one; absent takes it away.
  virtual void set_policy(const Resource& resource, const std::optional<RetentionPolicy>& policy,
                          TimePoint now) = 0;

  // The resources after the one with this id, by id; only those with a policy of their own if `own`.
  virtual std::vector<RetentionGroup> groups(std::string_view after, bool own, int limit) = 0;
  // One of them, by id. An empty id means the actions without a known resource.
  virtual RetentionGroup group(std::string_view resource_id) = 0;
  virtual RetentionFacts facts(std::string_view resource_id, const RetentionQuestion& question) = 0;
  // Whether a legal hold covers what one of these actions was done to: the resource itself, where another one owns it.
  virtual bool held(std::span<const ExpiringAction> actions) = 0;

  // Appends tombstones and removes those of the actions still stored with this resource; their ids stay taken, their
  // sums stay if `compact`. Returns how many went, those of an unanswered() run with the same `now` included.
  virtual std::int64_t remove(std::string_view resource_id, std::span<const ExpiringAction> actions,
                              bool compact, TimePoint now) = 0;
  virtual std::vector<CompactedActions> compacted(std::string_view resource_id) = 0;
  // Removes firings of alerts from before this time, the oldest first, at most `limit`; those on a resource that a
  // legal hold covers stay. How many went.
  virtual std::int64_t remove_alerts(TimePoint before, int limit) = 0;

  // Stores a new operation or the progress of one.
  virtual void put(const RetentionOperation& operation) = 0;
  // Operations that run without progress since `before`, because their process ended, become failed.
  virtual void give_up(TimePoint before, TimePoint now) = 0;
  // The newest ones first.
  virtual std::vector<RetentionOperation> operations(int limit) = 0;
};

}  // namespace actionhist
