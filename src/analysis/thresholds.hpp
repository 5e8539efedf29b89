// The numbers that a pattern's detector uses: those of its threshold_config, or the defaults.
// Functions may be called from any thread.
#pragma once

#include <chrono>

#include <actionhist/pattern.hpp>

#include "core/json_io.hpp"

namespace actionhist {

// One set for all detectors; each reads its own.
struct Thresholds {
  double min_confidence = .5;
  double confidence_drop = 0;  // of the model over the matched actions; 0 asks for none

  double max_pause_minutes = 30;  // between two moves, two thrashing actions, two read-only calls
  double amplitude_ratio = .25;   // smaller against larger of two moves
  double return_ratio = .6;       // 1 − net/path

  double effectiveness_threshold = .7;  // below it actions do not help
  double alternation_repeats = 3;
  double quick_repeats = 2;  // enough when the gaps are at most quick_gap_minutes
  double quick_gap_minutes = 10;
  double budget_actions = 6;  // disruptive ones
  double budget_minutes = 60;
  double budget_ratio = 3;  // times the resource's own p95

  double success_threshold = .6;  // from it on an attempt helped; between the two it is inconclusive
  double repeats_without_result = 5;
  double max_period = 5;
  double refire_minutes = 30;
  double safety_net_attempts = 5;
  double hash_chain_minutes = 60;

  double edge_minutes = 30;  // from an action to an alert
};

// The thresholds of a pattern. REQUIRES: its threshold_config is valid.
Thresholds thresholds_of(const Pattern& pattern);

// Throws Error: invalid_argument, naming the key, unless `pattern.threshold_config` is absent or an object
// of keys that the pattern's type knows, with numbers in their range.
void validate_thresholds(const Pattern& pattern);

// Writes the thresholds that the pattern's type uses, as one object.
void write_thresholds(JsonWriter& writer, const Pattern& pattern, const Thresholds& thresholds);

inline std::chrono::microseconds minutes(double count) {
  return std::chrono::microseconds(static_cast<std::int64_t>(count * 60e6));
}

}  // namespace actionhist
