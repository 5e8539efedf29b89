// What the hashes of the state before and after tell about attempts on a resource.
#include <algorithm>
#include <span>

#include "analysis/loops.hpp"
#include "analysis/wilson.hpp"

namespace actionhist {
namespace {

// What still runs says nothing yet; only the proposal itself is an entry before its end.
bool is_entry(const Step& step) { return step.candidate || (step.ended() && step.began()); }

Match match_of(std::string_view kind, Steps steps) {
  Match match(kind);
  match.confidence = confidence_of_failure(steps.size());
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

// True if the attempt starts where the last one ended, for the same alert and in the same way.
bool same_chain(const Step& x, const Step& y) {
  const Trace& a = *x.trace;
  const Trace& b = *y.trace;
  const bool follows = !b.pre_spec_hash.empty() && b.pre_spec_hash == a.outcome.post_spec_hash &&
                       a.pre_spec_hash != a.outcome.post_spec_hash;
  return follows && !alert_key(b).empty() && alert_key(b) == alert_key(a) && y.same_type(x);
}

// Whether a run of so many entries, each of which joins the one before it, ends with the proposal at the end of the
// steps.
template <class Joins>
bool may_complete(const Steps& steps, std::size_t wanted, Joins joins) {
  std::size_t count = 1;
  const Step* next = steps.back();
  for (auto step = steps.rbegin() + 1; step != steps.rend() && count < wanted; ++step) {
    if (!is_entry(**step)) continue;
    if (!joins(**step, *next)) return false;
    next = *step;
    ++count;
  }
  return count >= wanted;
}

// The longest run of entries since the last success, the last one of equals. `goes_on(first, last, step)` says
// whether the step belongs to the run of these two.
template <class GoesOn>
Steps longest_run(Attempts& attempts, const Steps& steps, GoesOn goes_on) {
  Steps entries;
  entries.reserve(steps.size());
  std::size_t begin = 0;  // of the run at the end of `entries`
  std::span<const Step*> longest;
  for (const Step* step : steps) {
    if (!is_entry(*step)) continue;
    if (begin < entries.size() && !goes_on(*entries[begin], *entries.back(), *step)) begin = entries.size();
    entries.push_back(step);
    if (entries.size() - begin >= longest.size()) longest = std::span(entries).subspan(begin);
    if (attempts.of(*step) == Progress::success) {
      begin = entries.size();
      longest = {};
    }
  }
  return {longest.begin(), longest.end()};
}

}  // namespace

std::optional<Match> find_same_state(const Window& window, Attempts& attempts, const Steps& steps) {
  const auto wanted = static_cast<std::size_t>(window.pattern().min_occurrences);
  if (window.candidate() != nullptr && !may_complete(steps, wanted, same_start)) return std::nullopt;
  Steps longest = longest_run(attempts, steps, [](const Step&, const Step& last, const Step& step) {
    return same_start(last, step);
  });
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
  const auto wanted = std::max<std::size_t>(static_cast<std::size_t>(window.pattern().min_occurrences), 2);
  if (window.candidate() != nullptr && !may_complete(steps, wanted, same_chain)) return std::nullopt;
  Steps longest = longest_run(attempts, steps, [&](const Step& first, const Step& last, const Step& step) {
    return same_chain(last, step) && step.at - first.at <= minutes(thresholds.hash_chain_minutes);
  });
  if (longest.size() < wanted) return std::nullopt;
  return match_of("hash-chain", std::move(longest));
}

}  // namespace actionhist
