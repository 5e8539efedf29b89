// The door of the room: finds the patterns of oscillation in the actions of one scope, and says what to do
// about them. Pure: the moment to judge is an argument. Functions may be called from any thread.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <actionhist/detection.hpp>
#include <actionhist/pattern.hpp>

#include "analysis/scene.hpp"

namespace actionhist {

struct Finding {
  std::vector<Detection> detections;       // strongest first
  std::vector<std::string> not_evaluated;  // "cascading-failure: no alert events", …
};

// Applies one pattern; `window` overrides its own. Only actions in [as_of - window, as_of] count; the
// baselines of the disruption budget (7 days) and of alert surprise (7 days) also use older ones, if given.
// What became known after `as_of` is not used. With a candidate, only detections that the candidate
// completes or continues are returned. An inactive pattern finds nothing.
Finding detect(const Pattern& pattern, Scene& scene, std::optional<std::chrono::minutes> window = {});

// The same for one pattern alone.
Finding detect(const Pattern& pattern, const Evidence& evidence, TimePoint as_of,
               std::optional<std::chrono::minutes> window = {});

// True if the pattern is active and watches this action: its kind, its namespace, its alert's labels.
bool in_scope(const Pattern& pattern, const Action& action);

// True if the detection is sure enough to refuse an action: its confidence reaches the pattern's
// `min_confidence`.
bool prevents(const Pattern& pattern, const Detection& detection);

// How long a detection stays in force after its last matching action: max(30 min, 2 × median interval).
std::chrono::microseconds clear_after(const Detection& detection);

// min(60 min, max(5 min, 2 × median interval) · 2^(detections_in_24h − 1)); at least one is assumed. The pattern's
// `cooling_period_minutes`, if it has any, take the place of the maximum and are never shortened.
std::chrono::microseconds cooling_period(const Pattern& pattern, const Detection& detection,
                                         int detections_in_24h);

// What to do: the pattern's own strategy, but always a human for a fight of two controllers, for the
// second detection of an ineffective loop, and for a cascade of at least high severity.
Prevention prevention_for(const Pattern& pattern, const Detection& detection,
                          int earlier_detections_in_force_window);

// Which of several preventions wins: block > escalate > cooling > alternative. Smaller wins.
int precedence(Prevention prevention) noexcept;

// True if `proposed` is more of what was detected, so that a blocking detection in force refuses it: the
// same dimension, the same key or the same type on one of its resources, as its rule demands.
bool repeats(const Detection& detection, const Trace& proposed);

}  // namespace actionhist
