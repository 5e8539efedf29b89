#include <actionhist/repository.hpp>

#include <algorithm>

namespace actionhist {

std::string_view to_string(Duty duty) noexcept { return duty == Duty::upkeep ? "upkeep" : "metrics"; }

std::chrono::microseconds longest_lease(Duty duty) noexcept {
  return duty == Duty::upkeep ? std::chrono::hours(25) : std::chrono::hours(1);
}

bool GuardQuestion::busy(const Scope& scope, std::span<const RecentTrace> recent) const {
  if (scope.kind != ScopeKind::resource) return false;
  const auto lately = std::ranges::lower_bound(recent, now - busy_span, {}, &RecentTrace::time);
  return recent.end() - lately >= busy_actions;
}

std::vector<Trace> ActionStore::judged(const Scope& scope, TimePoint since, TimePoint until, int most) {
  std::vector<Trace> newest = recent(scope, since, until, most);
  if (newest.size() < static_cast<std::size_t>(most)) return newest;
  const auto mutating = std::ranges::count(newest, Effect::mutating, &Trace::effect);
  if (mutating == most) return newest;
  std::vector<Trace> all = recent(scope, since, newest.front().time() - std::chrono::microseconds(1),
                                  most - static_cast<int>(mutating), Effect::mutating);
  std::ranges::move(newest, std::back_inserter(all));
  return all;
}

GuardView Repository::guard_view(const GuardQuestion& question, bool lock) {
  GuardView view;
  if (lock) actions().lock(question.scopes);
  view.stored = actions().get(question.action_id);
  if (view.stored || question.scopes.empty()) return view;
  view.patterns = SharedRows(patterns().patterns());
  view.in_force = patterns().in_force(question.scopes, question.now);
  view.alerts = SharedRows(resources().alerts(question.now - question.alerts, question.now));
  for (const Scope& scope : question.scopes) {
    if (scope.kind == ScopeKind::resource) view.policy = learning().guard_policy(scope.key);
    const auto since = [&](std::chrono::microseconds span) {
      return SharedRows(recent_traces(actions().judged(
          scope, question.now - span, question.now + std::chrono::minutes(5), question.max_traces)));
    };
    SharedRows<RecentTrace>& recent = view.recent.emplace_back(since(question.window));
    if (question.busy(scope, recent)) recent = since(question.baseline);
  }
  const bool acted = std::ranges::any_of(view.recent, [](const auto& traces) { return !traces.empty(); });
  if (!view.alerts.empty() && acted) {
    view.alerts = SharedRows(resources().alerts(question.now - question.baseline, question.now));
  }
  return view;
}

}  // namespace actionhist
