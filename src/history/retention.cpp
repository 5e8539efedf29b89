#include "history/retention.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/retention.hpp"
#include "core/hash.hpp"
#include "core/refuse.hpp"
#include "core/trace_fields.hpp"
#include "history/known_resource.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr int groups_at_once = 256;
constexpr int most_operations = 10'000;
// A run that shows no progress for so long has lost its process.
constexpr auto silence = 10min;
// So long before a window the guard counts how often alerts fired.
constexpr auto usual_alerts = 7 * 24h;

// A resource by its names, as it is stored; empty for all.
Resource named(Repository& repository, const Resource& given) {
  Resource resource = known_or_gone_resource(repository, given);
  if (resource == Resource{}) return resource;
  if (resource.kind.empty() || resource.name.empty()) {
    refuse("resource", "kind and name are required");
  }
  return resource;
}

// How far back the windows of active patterns reach.
std::chrono::minutes longest_window(std::span<const Pattern> patterns) {
  std::chrono::minutes longest{0};
  for (const Pattern& pattern : patterns) {
    if (pattern.active) longest = std::max(longest, pattern.time_window);
  }
  return longest;
}

}  // namespace

RetentionPolicy policy_of(const RetentionGroup& group, const std::optional<RetentionPolicy>& fallback) {
  RetentionPolicy policy = group.own.value_or(fallback.value_or(RetentionPolicy{}));
  if (group.held || (fallback && fallback->legal_hold)) policy.legal_hold = true;
  return policy;
}

Retention::Retention(Repository& repository, const Clock& clock, const RetentionRequest& request)
    : repository_(repository), clock_(clock), request_(request), started_(clock()) {
  require_between("batch", request.batch, 1, 10'000);
  if (request.policy) validate(*request.policy);
  const Resource resource = named(repository, request.resource);
  if (resource != Resource{}) resource_id_ = resource_id(repository.tenant(), resource);
  const std::vector<Pattern> patterns = repository.patterns().patterns();
  guarded_since_ = started_ - longest_window(patterns);
  guarded_alerts_since_ = guarded_since_ - usual_alerts - farther_alerts(patterns);
  default_ = repository.retention().default_policy();
  run_.run_id = uuid_v7(started_);
}

RetentionPolicy Retention::wanted_policy(const RetentionGroup& group) const {
  RetentionPolicy policy = policy_of(group, default_);
  if (request_.policy) {
    const bool held = policy.legal_hold;
    policy = *request_.policy;
    policy.legal_hold = policy.legal_hold || held;
  }
  // A number of actions bounds a resource's history, and these have no resource in common.
  if (group.resource_id.empty()) policy.max_actions.reset();
  return policy;
}

TimePoint Retention::guarded_since(const RetentionGroup& group) const {
  if (group.resource_id.empty()) return guarded_since_;
  const auto window = repository_.learning().guard_policy(group.resource_id).window;
  return window ? std::min(guarded_since_, started_ - *window) : guarded_since_;
}

RetentionPlan Retention::plan_of(const RetentionGroup& group) const {
  const RetentionPolicy policy = wanted_policy(group);
  RetentionPlan plan;
  // Most groups are within their bounds, whatever their window.
  auto question = retention_question(policy, group.total, started_, guarded_since_);
  const TimePoint since = question ? guarded_since(group) : guarded_since_;
  if (question) question = retention_question(policy, group.total, started_, since);
  if (question) {
    const RetentionFacts facts = repository_.retention().facts(group.resource_id, *question);
    plan = plan_retention(policy, facts, started_, since);
  } else {
    plan.policy = policy;
    plan.records_before = group.total;
  }
  plan.resource_id = group.resource_id;
  plan.resource = group.resource;
  return plan;
}

void Retention::for_each_group(const std::function<void(const RetentionGroup&)>& visit) {
  RetentionStore& store = repository_.retention();
  if (!resource_id_.empty()) {
    const RetentionGroup group = store.group(resource_id_);
    progress_.groups = 1;
    visit(group);
    return;
  }
  std::string after;
  for (bool more = true; more;) {
    const std::vector<RetentionGroup> groups = store.groups(after, false, groups_at_once);
    more = groups.size() == static_cast<std::size_t>(groups_at_once);
    progress_.groups += static_cast<std::int64_t>(groups.size());
    for (const RetentionGroup& group : groups) visit(group);
    if (more) after = groups.back().resource_id;
  }
  ++progress_.groups;
  visit(store.group({}));
}

std::vector<RetentionPlan> Retention::plan() {
  std::vector<RetentionPlan> plans;
  for_each_group([&](const RetentionGroup& group) {
    RetentionPlan plan = plan_of(group);
    if (!plan.going.empty() || plan.too_many_stay() || !resource_id_.empty())
      plans.push_back(std::move(plan));
  });
  return plans;
}

RetentionRun Retention::apply() {
  repository_.retention().give_up(started_ - silence, started_);
  for_each_group([&](const RetentionGroup& group) {
    apply_to(group);
    ++progress_.groups_done;
    tell(group.resource_id);
  });
  if (resource_id_.empty()) apply_to_alerts();
  if (run_.operations.empty()) {
    // A run that found nothing to do leaves a row all the same.
    const RetentionGroup group = repository_.retention().group(resource_id_);
    finish(begin(group, plan_of(group)), {});
  }
  return std::move(run_);
}

void Retention::apply_to(const RetentionGroup& group) {
  RetentionPlan plan = plan_of(group);
  if (plan.going.empty()) return;
  RetentionOperation operation = begin(group, plan);
  try {
    while (!plan.going.empty()) {
      const bool same_policy = carry_out(plan, operation);
      if (same_policy && !plan.partial) break;
      default_ = repository_.retention().default_policy();
      plan = plan_of(repository_.retention().group(group.resource_id));
    }
  } catch (const std::exception& error) {
    try {
      finish(operation, error.what());
    } catch (const Error&) {
      // The next run finds the row without progress and gives it up.
    }
    throw;
  }
  finish(std::move(operation), {});
}

void Retention::apply_to_alerts() {
  const auto policy = [&] { return wanted_policy({}); };
  if (!policy().max_age) return;
  const TimePoint before = std::min(started_ - *policy().max_age, guarded_alerts_since_);
  for (std::int64_t gone = request_.batch; gone == request_.batch;) {
    repository_.transaction([&] {
      gone = 0;
      // A hold may have been set meanwhile.
      default_ = repository_.retention().default_policy();
      if (!policy().legal_hold) gone = repository_.retention().remove_alerts(before, request_.batch);
    });
    run_.alerts += gone;
  }
}

RetentionOperation Retention::begin(const RetentionGroup& group, const RetentionPlan& plan) const {
  RetentionOperation operation;
  const TimePoint now = clock_();
  operation.operation_id = uuid_v7(now);
  operation.run_id = run_.run_id;
  operation.resource_id = group.resource_id;
  operation.operation_type = plan.policy.compact ? "compact" : "cleanup";
  operation.strategy_used = to_string(plan.policy.strategy);
  operation.records_before = operation.records_after = plan.records_before;
  if (plan.policy.compact) operation.records_archived = 0;
  operation.retention_criteria = retention_criteria(plan.policy);
  operation.preserved_criteria = preserved_criteria(plan, guarded_since_);
  operation.operation_start = operation.created_at = operation.updated_at = now;
  operation.operation_status = "running";
  repository_.retention().put(operation);
  return operation;
}

bool Retention::carry_out(const RetentionPlan& plan, RetentionOperation& operation) {
  RetentionStore& store = repository_.retention();
  const std::span<const ExpiringAction> all = plan.going;
  for (std::size_t at = 0; at < all.size(); at += static_cast<std::size_t>(request_.batch)) {
    const auto batch = all.subspan(at, std::min(static_cast<std::size_t>(request_.batch), all.size() - at));
    RetentionOperation after;
    bool same_policy = true;
    // The same when the transaction runs again, because the answer to its commit was lost: remove() counts by it.
    const TimePoint now = clock_();
    repository_.transaction([&] {
      after = operation;
      // A hold that was set since the plan was made holds what is left of it.
      default_ = store.default_policy();
      RetentionGroup group;
      if (!plan.resource_id.empty()) group = store.group(plan.resource_id);
      same_policy = wanted_policy(group) == plan.policy && !store.held(batch);
      if (!same_policy) return;
      const std::int64_t removed = store.remove(plan.resource_id, batch, plan.policy.compact, now);
      after.records_deleted += removed;
      after.records_after -= removed;
      // The metrics of these hours have fewer scores now.
      std::vector<TimePoint> times;
      for (const ExpiringAction& action : batch) times.push_back(action.time);
      repository_.metrics().mark_scored(times);
      if (plan.policy.compact) after.records_archived = after.records_archived.value_or(0) + removed;
      after.updated_at = now;
      store.put(after);
    });
    if (!same_policy) return false;
    const std::int64_t removed = after.records_deleted - operation.records_deleted;
    operation = std::move(after);
    run_.removed += removed;
    progress_.removed += removed;
    tell(plan.resource_id);
  }
  return true;
}

void Retention::finish(RetentionOperation operation, std::string_view error) {
  const TimePoint now = clock_();
  operation.operation_end = operation.updated_at = now;
  operation.operation_duration_ms =
      std::chrono::floor<std::chrono::milliseconds>(now - operation.operation_start).count();
  operation.operation_status = error.empty() ? "completed" : "failed";
  operation.error_message = error;
  repository_.retention().put(operation);
  run_.operations.push_back(std::move(operation));
}

void Retention::tell(std::string_view resource_id) const {
  if (!request_.progress) return;
  RetentionProgress progress = progress_;
  progress.resource_id = resource_id;
  request_.progress(progress);
}

RetentionPolicy History::retention_policy(const Resource& resource) {
  State& state = alive(state_);
  RetentionStore& store = state.repository->retention();
  const Resource known = named(*state.repository, resource);
  RetentionGroup group;
  if (known != Resource{}) group = store.group(resource_id(state.repository->tenant(), known));
  return policy_of(group, store.default_policy());
}

void History::set_retention_policy(const std::optional<RetentionPolicy>& policy, const Resource& resource) {
  State& state = alive(state_);
  if (policy) validate(*policy);
  state.repository->retention().set_policy(named(*state.repository, resource), policy, state.now());
}

std::vector<RetentionRule> History::retention_policies() {
  RetentionStore& store = alive(state_).repository->retention();
  std::vector<RetentionRule> rules;
  if (const auto policy = store.default_policy()) rules.push_back({{}, {}, *policy});
  std::string after;
  for (bool more = true; more;) {
    const std::vector<RetentionGroup> groups = store.groups(after, true, groups_at_once);
    more = groups.size() == static_cast<std::size_t>(groups_at_once);
    for (const RetentionGroup& group : groups)
      rules.push_back({group.resource_id, group.resource, group.own.value()});
    if (more) after = groups.back().resource_id;
  }
  return rules;
}

std::vector<RetentionPlan> History::retention_plan(const RetentionRequest& request) {
  State& state = alive(state_);
  return Retention(*state.repository, state.options.clock, request).plan();
}

RetentionRun History::apply_retention(const RetentionRequest& request) {
  State& state = alive(state_);
  RetentionRun run = Retention(*state.repository, state.options.clock, request).apply();
  state.written();
  return run;
}

std::vector<RetentionOperation> History::retention_operations(int limit) {
  require_between("limit", limit, 1, most_operations);
  return alive(state_).repository->retention().operations(limit);
}

std::vector<CompactedActions> History::compacted(const Resource& resource) {
  State& state = alive(state_);
  const Resource known = named(*state.repository, resource);
  const std::string id = known == Resource{} ? "" : resource_id(state.repository->tenant(), known);
  return state.repository->retention().compacted(id);
}

}  // namespace actionhist
