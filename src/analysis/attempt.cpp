#include "analysis/attempt.hpp"

#include <algorithm>

namespace actionhist {

Progress Attempts::of(const Step& step) {
  std::optional<Progress>& known = known_[window_.index_of(step)];
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
  // Most attempts answer the alert of the one before.
  if (last_ && last_->first == fingerprint) return last_->second;
  const auto [entry, first] = firings_.try_emplace(fingerprint);
  last_ = &*entry;
  std::vector<TimePoint>& times = entry->second;
  if (!first) return times;
  for (const Alert& alert : window_.evidence().alerts) {
    if (alert.fingerprint == fingerprint) times.push_back(alert.starts_at);
  }
  for (const Step* step : window_.steps()) {
    const auto& fired = step->trace->alert_firing_time;
    if (!fired || step->trace->alert_fingerprint != fingerprint) continue;
    if (times.empty() || times.back() != *fired) times.push_back(*fired);
  }
  std::ranges::sort(times);
  return times;
}

Progress Attempts::judge(const Step& step) {
  if (!step.ended()) return Progress::unknown;
  if (step.status == Status::failed) return Progress::ineffective;
  // After a drift of the spec the score is about another spec than the one that the action made.
  const bool drifted = step.digest->drifted;
  if (step.score && !drifted && *step.score < thresholds_.effectiveness_threshold)
    return Progress::ineffective;
  if (alert_returned(step)) return Progress::ineffective;
  if (drifted) return Progress::inconclusive;
  if (step.score)
    return *step.score >= thresholds_.success_threshold ? Progress::success : Progress::inconclusive;
  if (step.digest->alert_resolved) return Progress::success;
  if (step.digest->state_unchanged) return Progress::ineffective;
  // What was undone or called off is no sign that it helped, nor that it did not.
  return step.status == Status::completed ? Progress::unknown : Progress::inconclusive;
}

}  // namespace actionhist
