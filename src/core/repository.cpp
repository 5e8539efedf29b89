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

bool GuardQuestion::asks_earlier(const GuardView& view) const {
  return !view.alerts.empty() && alerts < baseline &&
         std::ranges::any_of(view.recent, [](const auto& traces) { return !traces.empty(); });
}

EarlierAlertQuery GuardQuestion::earlier(const GuardView& view) const {
  EarlierAlertQuery query{{}, {}, now - baseline, now - alerts};
  const auto add = [&](const std::string& fingerprint, const std::string& severity,
                       const Resource& resource) {
    if (!fingerprint.empty()) query.fingerprints.push_back(fingerprint);
    if (severity == "critical") query.namespaces.push_back(resource.namespace_);
  };
  add(answered.fingerprint, answered.severity, answered.resource);
  for (const Alert& alert : view.alerts) add(alert.fingerprint, alert.severity, alert.resource);
  for (const SharedRows<RecentTrace>& traces : view.recent) {
    for (const RecentTrace& trace : traces)
      add(trace->alert_fingerprint, trace->alert_severity, trace->resource);
  }
  for (std::vector<std::string>* list : {&query.fingerprints, &query.namespaces}) {
    std::ranges::sort(*list);
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return query;
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
  if (question.asks_earlier(view)) view.earlier = resources().earlier_alerts(question.earlier(view));
  return view;
}

}  // namespace actionhist
