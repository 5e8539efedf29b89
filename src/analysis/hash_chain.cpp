// What the hashes of the state before and after tell about attempts on a resource.
#include <algorithm>

#include "analysis/loops.hpp"
#include "analysis/wilson.hpp"

namespace actionhist {
namespace {

// What still runs says nothing yet; only the proposal itself is an entry before its end.
bool is_entry(const Step& step) {
  return step.candidate ||
         (step.ended() && step.status != Status::cancelled && step.status != Status::escalated);
}

Match match_of(std::string_view kind, Steps steps) {
  Match match(kind);
  const auto count = static_cast<double>(steps.size());
  match.confidence = 1 - wilson(0, count, 1.28).upper;
  match.severity = steps.size() >= 4 ? Severity::high : Severity::medium;
  match.facts.member("attempts", steps.size());
  match.steps = std::move(steps);
  return match;
}

// True if both started from the same state. A hash that the caller gave is of the whole spec; a state that
// was captured may leave out what the action changes, so then the type must be the same too.
bool same_start(const Step& x, const Step& y) {
  const Trace& a = *x.trace;
  const Trace& b = *y.trace;
  if (!a.pre_spec_hash.empty() || !b.pre_spec_hash.empty()) return a.pre_spec_hash == b.pre_spec_hash;
  return !a.resource_state_before.absent() && a.resource_state_before == b.resource_state_before &&
         x.type->plain == y.type->plain;
}

}  // namespace

std::optional<Match> find_same_state(const Window& window, Attempts& attempts, const Steps& steps) {
  const auto wanted = static_cast<std::size_t>(window.pattern().min_occurrences);
  Steps run;
  Steps longest;
  for (const Step* step : steps) {
    if (!is_entry(*step)) continue;
    if (!run.empty() && !same_start(*run.back(), *step)) run.clear();
    run.push_back(step);
    if (run.size() >= longest.size()) longest = run;
    if (attempts.of(*step) == Progress::success) {
      run.clear();
      longest.clear();
    }
  }
  if (longest.size() < wanted || longest.empty()) return std::nullopt;
  const Trace& first = *longest.front()->trace;
  if (first.pre_spec_hash.empty() && first.resource_state_before.absent()) return std::nullopt;
  // A fix had worked and was undone, or none ever took.
  const auto worked = [](const Step* step) {
    const Trace& trace = *step->trace;
    const std::string& post = trace.outcome.post_spec_hash;
    if (!trace.pre_spec_hash.empty()) return !post.empty() && post != trace.pre_spec_hash;
    const Json& after = trace.outcome.resource_state_after;
    return !after.absent() && after != trace.resource_state_before;
  };
  const bool regressed = std::any_of(longest.begin(), longest.end() - 1, worked);
  return match_of(regressed ? "regression" : "same-state", std::move(longest));
}

std::optional<Match> find_hash_chain(const Window& window, const Thresholds& thresholds, Attempts& attempts,
                                     const Steps& steps) {
  const auto wanted = static_cast<std::size_t>(window.pattern().min_occurrences);
  Steps run;
  Steps longest;
  for (const Step* step : steps) {
    if (!is_entry(*step)) continue;
    const Trace& trace = *step->trace;
    if (!run.empty()) {
      const Trace& last = *run.back()->trace;
      const bool follows = !trace.pre_spec_hash.empty() &&
                           trace.pre_spec_hash == last.outcome.post_spec_hash &&
                           last.pre_spec_hash != last.outcome.post_spec_hash;
      const bool same_cause = !alert_key(trace).empty() && alert_key(trace) == alert_key(last) &&
                              step->type->plain == run.back()->type->plain;
      const bool soon = step->at - run.front()->at <= minutes(thresholds.hash_chain_minutes);
      if (!follows || !same_cause || !soon) run.clear();
    }
    run.push_back(step);
    if (run.size() >= longest.size()) longest = run;
    if (attempts.of(*step) == Progress::success) {
      run.clear();
      longest.clear();
    }
  }
  if (longest.size() < std::max<std::size_t>(wanted, 2)) return std::nullopt;
  return match_of("hash-chain", std::move(longest));
}

}  // namespace actionhist
