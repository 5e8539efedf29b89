// What people tell the guard of one resource, and where they overrode it.
#include "analysis/guard_policy.hpp"

#include "core/refuse.hpp"
#include "history/known_resource.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {

GuardPolicy History::guard_policy(const Resource& resource) {
  State& state = alive(state_);
  const Resource known = required_resource(*state.repository, resource);
  return state.repository->learning().guard_policy(resource_id(state.repository->tenant(), known));
}

void History::set_guard_policy(const Resource& resource, const GuardPolicy& policy) {
  State& state = alive(state_);
  validate(policy);
  const Resource known = required_resource(*state.repository, resource);
  state.repository->transaction([&] {
    // A policy may be there before the first action.
    state.repository->resources().seen(known, state.now());
    state.repository->learning().set_guard_policy(resource_id(state.repository->tenant(), known), policy,
                                                  state.now());
  });
}

std::vector<OverrideRecord> History::overrides(std::optional<TimePoint> since, int limit) {
  State& state = alive(state_);
  require_between("limit", limit, 1, 10'000);
  return state.repository->learning().overrides(since.value_or(TimePoint{}), TimePoint::max(), limit);
}

}  // namespace actionhist
