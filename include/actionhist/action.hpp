// What an agent wants to do or did, with its cause and, when it is known, its outcome.
// Plain values. Text that is empty and Json that is absent were not given.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <actionhist/json.hpp>
#include <actionhist/resource.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

// Stored by name. Which change is legal is `may_become`.
enum class Status { pending, executing, completed, failed, rolled_back, cancelled, escalated };

// Whether an action changes anything. If not given it comes from the shipped table of verbs.
enum class Effect { mutating, read_only };

std::string_view to_string(Status status) noexcept;  // "rolled-back"
std::string_view to_string(Effect effect) noexcept;
Status parse_status(std::string_view text, std::string_view field = "execution_status");
Effect parse_effect(std::string_view text, std::string_view field = "effect");

// True for completed, failed, rolled_back, cancelled and escalated.
bool terminal(Status status) noexcept;

// The table of legal changes. A terminal status is left only by a correction, except that a completed
// action may be rolled back.
bool may_become(Status from, Status to, bool correction) noexcept;

// What became of an action: all that complete() and assess() add.
struct Outcome {
  Status status = Status::pending;
  std::optional<TimePoint> execution_start_time;
  std::optional<TimePoint> execution_end_time;
  std::optional<std::int64_t> execution_duration_ms;  // from start and end if not given
  std::string execution_error;
  Json kubernetes_operations;  // [{"operation": "patch", "resource": "deployment/web", "result": "success"}]
  Json resource_state_after;
  std::string post_spec_hash;
  std::string result_hash;  // of what the action returned; the same hash twice means no progress
  std::optional<double> effectiveness_score;  // 0 to 1; absent means "not assessed", never 0
  Json effectiveness_criteria;                // {"alert_resolved": true, "target_metric_improved": true}
  std::optional<TimePoint> effectiveness_assessed_at;
  std::string effectiveness_assessment_method;  // automated, manual, ml-derived
  std::string effectiveness_notes;
  std::optional<TimePoint> effectiveness_due_at;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

struct Action {
  std::string action_id;  // at most 255 bytes; a UUIDv7 of the action's time if empty
  std::string correlation_id;
  std::string session_id;
  std::string actor;
  std::string environment;
  std::optional<TimePoint> action_timestamp;  // required by record; propose defaults to the clock

  std::string alert_name;
  std::string alert_severity;
  Json alert_labels;
  Json alert_annotations;
  std::optional<TimePoint> alert_firing_time;
  std::string alert_fingerprint;  // from alert name, labels and resource if empty

  std::string model_used;
  std::string routing_tier;
  std::optional<double> model_confidence;  // 0 to 1
  std::string model_reasoning;
  Json alternative_actions;  // [{"action": "scale_deployment", "confidence": 0.85}]

  std::string action_type;  // required
  std::optional<Effect> effect;
  Json action_parameters;  // {"replicas": 5}
  Resource resource;
  std::string owner;  // "Deployment/web", KIND/NAME: the guarded resource in the same namespace, if known
  Json resource_state_before;
  std::string pre_spec_hash;
  Json follow_up_actions;  // [{"action_id": "…", "relation": "correction"}]
  Json metadata;           // fields that are no column

  Outcome outcome;

  friend bool operator==(const Action&, const Action&) = default;
};

// An action as stored.
struct Trace : Action {
  std::string resource_id;  // empty when the resource is not known well enough
  TimePoint created_at{};
  TimePoint updated_at{};
  bool stored = true;  // false when this call found it there already

  // The time of the action, which every trace that the library gives has. REQUIRES: action_timestamp.
  TimePoint time() const { return *action_timestamp; }

  friend bool operator==(const Trace&, const Trace&) = default;
};

// The resource that the guard watches for an action, and that its resource_id means: its owner if given, else
// the resource itself.
Resource guarded_resource(const Action& action);

// An action from a JSON object in the field names of the table `resource_action_traces`, with
// `resource_reference` for the resource. Also understood: `observation_hash`, `record_kind`, `mutating`,
// and `kind`, `namespace`, `name`, `cluster` beside the rest. Unknown fields go to `metadata`, but a
// misspelt part of the resource is refused.
// Throws Error: invalid_argument, naming the field.
Action parse_action(std::string_view json);

// The same names for an outcome: {"status": "completed", "effectiveness_score": 0.9}.
Outcome parse_outcome(std::string_view json);

// The inverse of parse_action, with what the store added. Absent fields are left out.
std::string to_json(const Trace& trace);

}  // namespace actionhist
