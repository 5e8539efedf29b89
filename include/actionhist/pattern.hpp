// Kinds of oscillation to watch for. A pattern is a row: its thresholds and its prevention are data.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/json.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

enum class PatternType {
  scale_oscillation,
  resource_thrashing,
  ineffective_loop,
  cascading_failure,
  action_budget,
};

enum class Prevention { block_action, escalate_human, alternative_action, cooling_period };

enum class Severity { low, medium, high, critical };

std::string_view to_string(PatternType type) noexcept;       // "scale-oscillation"
std::string_view to_string(Prevention prevention) noexcept;  // "block-action"
std::string_view to_string(Severity severity) noexcept;
PatternType parse_pattern_type(std::string_view text, std::string_view field = "pattern_type");
Prevention parse_prevention(std::string_view text, std::string_view field = "prevention_strategy");
Severity parse_severity(std::string_view text, std::string_view field = "severity");

// Begins as the shipped pattern of its type; for another type take default_pattern(type), which is also what JSON
// leaves to be assumed.
struct Pattern {
  std::string pattern_id;  // the shipped ones are named by their type
  PatternType pattern_type = PatternType::scale_oscillation;
  std::string pattern_name;
  std::string description;

  // What it means depends on the type: reversals, reverts, identical cycles, chain length, budget (at most 512).
  // Of an action_sequence JSON takes 1 if it does not say.
  int min_occurrences = 2;
  // A proposal is judged by the newest 512 actions in it, of its resource, correlation or session each.
  std::chrono::minutes time_window{120};
  // {"min_confidence": .5, "max_pause_minutes": 30, "amplitude_ratio": .25, "return_ratio": .6, …};
  // "confidence_drop": .2 asks in addition that the model's confidence fell by that much over the matched
  // actions;
  // every key is optional and falls back to the default of its detector.
  Json threshold_config;
  // When given, it takes the place of the type's own rule: the pattern holds where the actions of one resource
  // (or of the scope, where no resource is known) contain these types in this order, with others between them
  // or not, `min_occurrences` times one after the other.
  std::vector<std::string> action_sequence;

  // Scope; empty means all.
  std::vector<std::string> resource_types;
  std::vector<std::string> namespaces;
  Json label_selectors;  // compared with alert_labels

  Prevention prevention_strategy = Prevention::cooling_period;
  // {"cooling_period_minutes": 30}: how long the first cooling of a day lasts, instead of twice the usual interval.
  Json prevention_parameters;

  bool alerting_enabled = true;
  std::string alert_severity = "warning";
  std::vector<std::string> alert_channels;
  // Where new detections are posted to: {"url": "https://…", "header": "Authorization", "secret_env":
  // "ACTIONHIST_WEBHOOK_…"}; the header, with the value of that variable, only if it is named. A URL that is a secret
  // stays in a variable too: {"url_env": "ACTIONHIST_WEBHOOK_…"}.
  Json alert_webhook;

  // Kept by the store; what put_pattern() is given here is not taken.
  std::int64_t total_detections = 0;
  std::optional<double> prevention_success_rate;  // of preventions that can be judged; an association
  std::optional<double> false_positive_rate;      // of resolved detections
  std::optional<TimePoint> last_detection_at;
  std::optional<TimePoint> created_at;
  std::optional<TimePoint> updated_at;

  bool shadow = false;  // decide and record, but do not refuse
  bool active = true;

  friend bool operator==(const Pattern&, const Pattern&) = default;
};

// The patterns that a new database starts with. action-budget is shipped inactive.
std::vector<Pattern> default_patterns();

// The shipped pattern of this type, but active, and without its id: what Pattern and JSON begin with.
Pattern default_pattern(PatternType type);

// Throws Error: invalid_argument, naming the field.
void validate(const Pattern& pattern);

std::string to_json(const Pattern& pattern);

// A pattern from JSON in the same names. Throws Error: invalid_argument, naming the field.
Pattern parse_pattern(std::string_view json);

}  // namespace actionhist
