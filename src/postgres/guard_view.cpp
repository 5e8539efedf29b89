#include "postgres/guard_view.hpp"

#include <algorithm>

#include "postgres/guard_heads.hpp"
#include "postgres/reads.hpp"

namespace actionhist::postgres {
namespace {

// Empty when the resource is not known; nothing is stored under that.
std::string_view resource_of(std::span<const Scope> scopes) {
  for (const Scope& scope : scopes) {
    if (scope.kind == ScopeKind::resource) return scope.key;
  }
  return {};
}

}  // namespace

GuardView read_guard_view(Engine& engine, const GuardQuestion& question, bool lock) {
  const std::string& tenant = engine.tenant();
  std::vector<Call> calls;
  // The first statements take the locks, and each later one sees what was committed before it.
  if (lock && !question.scopes.empty()) add_lock(calls, tenant, names_of(question.scopes));
  const std::size_t action = calls.size();
  ask_action(calls, tenant, question.action_id);
  const std::size_t patterns = calls.size();
  if (!question.scopes.empty()) {
    calls.push_back(ask_patterns(tenant));
    calls.push_back(ask_in_force(tenant, question.scopes, question.now));
    calls.push_back(ask_alerts(tenant, question.now - question.alerts, question.now));
    calls.push_back(ask_policy(tenant, resource_of(question.scopes)));
    for (const Scope& scope : question.scopes) {
      calls.push_back(ask_recent(tenant, scope, question.now - question.window,
                                 question.now + std::chrono::minutes(5), question.max_traces));
    }
  }
  const std::vector<Result> results = engine.run(std::move(calls));

  GuardView view;
  for (std::size_t i = action; i < patterns && !view.stored; ++i) {
    std::vector<Trace> found = read_traces(results[i]);
    if (!found.empty()) view.stored = std::move(found.front());
  }
  if (view.stored || question.scopes.empty()) return view;
  view.patterns = read_patterns(results[patterns]);
  view.in_force = read_detections(results[patterns + 1]);
  view.alerts = read_alerts(results[patterns + 2]);
  view.policy = read_policy(results[patterns + 3]);
  for (std::size_t i = patterns + 4; i < results.size(); ++i) {
    view.recent.push_back(read_traces(results[i]));
    std::ranges::reverse(view.recent.back());
  }
  return view;
}

}  // namespace actionhist::postgres
