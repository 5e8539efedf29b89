// The detectors, one a pattern type, and what they share. Internal to analysis/.
// Each looks at one window and adds to a finding; none keeps state.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "analysis/thresholds.hpp"
#include "analysis/window.hpp"
#include "core/json_io.hpp"

namespace actionhist {

void find_scale_oscillation(const Window& window, const Thresholds& thresholds, Finding& finding);
void find_resource_thrashing(const Window& window, const Thresholds& thresholds, Finding& finding);
void find_ineffective_loop(const Window& window, const Thresholds& thresholds, Finding& finding);
void find_cascading_failure(const Window& window, const Thresholds& thresholds, Finding& finding);
void find_action_budget(const Window& window, const Thresholds& thresholds, Finding& finding);
void find_action_sequence(const Window& window, const Thresholds& thresholds, Finding& finding);

// A rule that holds.
struct Match {
  explicit Match(std::string_view kind) : sub_kind(kind) { facts.begin_object(); }

  std::string_view sub_kind;
  Steps steps;  // that it matched, oldest first
  double confidence = 0;
  Severity severity = Severity::medium;
  JsonWriter facts;  // an open object: the counts that the rule used
};

// True if the match stands for an answer: it has the candidate in it, or there is none.
bool answers(const Window& window, const Match& match);

// Keeps the strongest of several rules that hold for one resource; the later of equals loses.
void keep_stronger(const Window& window, std::optional<Match>& best, std::optional<Match> other);

// Adds the match as a detection.
void report(const Window& window, const Thresholds& thresholds, Match match, Finding& finding);

// Adds "type: reason" once.
void not_evaluated(const Window& window, std::string_view reason, Finding& finding);

// Mean of the assessed scores; empty when none was assessed, which is not 0.
std::optional<double> mean_score(const Steps& steps);

// Seconds between one step and the next, in the middle; 0 for fewer than two.
double median_interval_seconds(const Steps& steps);

// True if exactly two known actors took turns.
bool actors_alternate(const Steps& steps);

// The alert that the action answers: its fingerprint, or its name if it has none; empty without an alert.
std::string_view alert_key(const Trace& trace);

}  // namespace actionhist
