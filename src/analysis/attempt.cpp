#include "analysis/attempt.hpp"

#include <algorithm>

namespace actionhist {
namespace {

// True if the assessment says so: {"alert_resolved": true}. The text of a Json is canonical.
bool criterion(const Trace& trace, std::string_view member) {
  return trace.outcome.effectiveness_criteria.text().find(member) != std::string::npos;
}

bool state_unchanged(const Trace& trace) {
  const Outcome& outcome = trace.outcome;
  if (!trace.pre_spec_hash.empty() && !outcome.post_spec_hash.empty()) {
    return trace.pre_spec_hash == outcome.post_spec_hash;
  }
  return !trace.resource_state_before.absent() && trace.resource_state_before == outcome.resource_state_after;
}

}  // namespace

Progress Attempts::of(const Step& step) {
  std::optional<Progress>& known = known_[static_cast<std::size_t>(&step - window_.steps().data())];
  if (!known) known = judge(step);
  return *known;
}

bool Attempts::alert_returned(const Step& step) {
  const std::string& fingerprint = step.trace->alert_fingerprint;
  if (fingerprint.empty()) return false;
  const TimePoint until = std::min(step.done + minutes(thresholds_.refire_minutes), window_.as_of());
  const std::vector<TimePoint>& times = firings(fingerprint);
  const auto next = std::ranges::upper_bound(times, step.done);
  return next != times.end() && *next <= until;
}

const std::vector<TimePoint>& Attempts::firings(const std::string& fingerprint) {
  const auto [entry, first] = firings_.try_emplace(fingerprint);
  std::vector<TimePoint>& times = entry->second;
  if (!first) return times;
  for (const Alert& alert : window_.evidence().alerts) {
    if (alert.fingerprint == fingerprint) times.push_back(alert.starts_at);
  }
  for (const Step& step : window_.steps()) {
    const auto& fired = step.trace->alert_firing_time;
    if (fired && step.trace->alert_fingerprint == fingerprint) times.push_back(*fired);
  }
  std::ranges::sort(times);
  return times;
}

Progress Attempts::judge(const Step& step) {
  if (!step.ended()) return Progress::unknown;
  if (step.status == Status::failed) return Progress::ineffective;
  const Trace& trace = *step.trace;
  // After a drift of the spec the score is about another spec than the one that the action made.
  const bool drifted = criterion(trace, "\"spec_drift\":true");
  if (step.score && !drifted && *step.score < thresholds_.effectiveness_threshold)
    return Progress::ineffective;
  if (alert_returned(step)) return Progress::ineffective;
  if (drifted) return Progress::inconclusive;
  if (step.score)
    return *step.score >= thresholds_.success_threshold ? Progress::success : Progress::inconclusive;
  if (criterion(trace, "\"alert_resolved\":true")) return Progress::success;
  if (state_unchanged(trace)) return Progress::ineffective;
  return step.status == Status::rolled_back ? Progress::inconclusive : Progress::unknown;
}

}  // namespace actionhist
