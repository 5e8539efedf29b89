#include <actionhist/pattern.hpp>

#include <algorithm>

#include "analysis/evidence.hpp"
#include "analysis/thresholds.hpp"
#include "core/json_fields.hpp"
#include "core/names.hpp"

namespace actionhist {
namespace {

constexpr NameTable<PatternType, 5> type_names{{
    {PatternType::scale_oscillation, "scale-oscillation"},
    {PatternType::resource_thrashing, "resource-thrashing"},
    {PatternType::ineffective_loop, "ineffective-loop"},
    {PatternType::cascading_failure, "cascading-failure"},
    {PatternType::action_budget, "action-budget"},
}};

constexpr NameTable<Prevention, 4> prevention_names{{
    {Prevention::block_action, "block-action"},
    {Prevention::escalate_human, "escalate-human"},
    {Prevention::alternative_action, "alternative-action"},
    {Prevention::cooling_period, "cooling-period"},
}};

constexpr NameTable<Severity, 4> severity_names{{
    {Severity::low, "low"},
    {Severity::medium, "medium"},
    {Severity::high, "high"},
    {Severity::critical, "critical"},
}};

constexpr std::size_t max_sequence = 32;
constexpr int max_window_minutes = 30 * 24 * 60;

void require_object(const Json& json, std::string_view field) {
  if (!json.absent() && json.text().front() != '{') refuse(field, "must be a JSON object");
}

void require_prevention_parameters(const Json& parameters) {
  require_object(parameters, "prevention_parameters");
  if (parameters.absent()) return;
  JsonDocument document;
  for (auto [key, value] : simdjson::dom::object(document.parse(parameters))) {
    const std::string field = fmt::format("prevention_parameters.{}", key);
    if (key != "cooling_period_minutes") {
      refuse(field, "is not known; known is cooling_period_minutes (alert_webhook says who is told)");
    }
    double minutes = 0;
    if (value.get(minutes) != simdjson::SUCCESS) refuse(field, "must be a number");
    if (!(minutes >= 1 && minutes <= max_window_minutes)) {
      refuse(field, fmt::format("must be between 1 and {} (30 days)", max_window_minutes));
    }
  }
}

// Labels are texts, so a selector of anything else could never hold.
void require_selectors(const Json& selectors) {
  if (selectors.absent()) return;
  JsonDocument document;
  for (auto [key, value] : simdjson::dom::object(document.parse(selectors))) {
    if (!value.is_string()) {
      refuse(fmt::format("label_selectors.{}", key), "must be a text, as labels are");
    }
  }
}

}  // namespace

std::string_view to_string(PatternType type) noexcept { return name_of(type_names, type); }
std::string_view to_string(Prevention prevention) noexcept { return name_of(prevention_names, prevention); }
std::string_view to_string(Severity severity) noexcept { return name_of(severity_names, severity); }

PatternType parse_pattern_type(std::string_view text, std::string_view field) {
  return value_of(type_names, text, field);
}

Prevention parse_prevention(std::string_view text, std::string_view field) {
  return value_of(prevention_names, text, field);
}

Severity parse_severity(std::string_view text, std::string_view field) {
  return value_of(severity_names, text, field);
}

void validate(const Pattern& pattern) {
  if (pattern.pattern_id.empty()) refuse("pattern_id", "must not be empty");
  if (pattern.pattern_id.size() > 255) refuse("pattern_id", "must be at most 255 bytes long");
  if (pattern.min_occurrences < 1) refuse("min_occurrences", "must be at least 1");
  const bool is_budget =
      pattern.pattern_type == PatternType::action_budget && pattern.action_sequence.empty();
  if (is_budget && pattern.min_occurrences > most_judged) {
    refuse("min_occurrences",
           fmt::format("must be at most {} for an action-budget: a proposal is judged by as many "
                       "actions of its resource, so a larger budget would never be spent",
                       most_judged));
  }
  const auto window = pattern.time_window.count();
  if (window < 1 || window > max_window_minutes) {
    refuse("time_window_minutes", fmt::format("must be between 1 and {} (30 days)", max_window_minutes));
  }
  validate_thresholds(pattern);
  if (pattern.action_sequence.size() > max_sequence) {
    refuse("action_sequence", fmt::format("must hold at most {} types", max_sequence));
  }
  require_object(pattern.label_selectors, "label_selectors");
  require_prevention_parameters(pattern.prevention_parameters);
  const auto empty = [](const std::string& text) { return text.empty(); };
  if (std::ranges::any_of(pattern.resource_types, empty)) refuse("resource_types", "holds an empty text");
  if (std::ranges::any_of(pattern.namespaces, empty)) refuse("namespaces", "holds an empty text");
  if (std::ranges::any_of(pattern.action_sequence, empty)) refuse("action_sequence", "holds an empty text");
  if (std::ranges::any_of(pattern.alert_channels, empty)) refuse("alert_channels", "holds an empty text");
  require_selectors(pattern.label_selectors);
}

Pattern parse_pattern(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "pattern"), "pattern");
  std::string type;
  reader("pattern_type", type);
  if (type.empty()) refuse("pattern_type", "is required");

  Pattern pattern = default_pattern(parse_pattern_type(type));
  reader("pattern_id", pattern.pattern_id);
  reader("pattern_name", pattern.pattern_name);
  reader("description", pattern.description);
  reader("min_occurrences", pattern.min_occurrences);
  std::int64_t window = pattern.time_window.count();
  reader("time_window_minutes", window);
  pattern.time_window = std::chrono::minutes(window);
  reader("threshold_config", pattern.threshold_config);
  const bool sequence_given = reader.given("action_sequence");
  reader("action_sequence", pattern.action_sequence);
  if (sequence_given && pattern.action_sequence.empty()) {
    refuse("action_sequence", "must hold at least one type, or be left out");
  }
  // The sequence once, unless it is said.
  if (sequence_given && !reader.given("min_occurrences")) pattern.min_occurrences = 1;
  reader("resource_types", pattern.resource_types);
  reader("namespaces", pattern.namespaces);
  reader("label_selectors", pattern.label_selectors);
  std::string prevention;
  reader("prevention_strategy", prevention);
  if (!prevention.empty()) pattern.prevention_strategy = parse_prevention(prevention);
  reader("prevention_parameters", pattern.prevention_parameters);
  reader("alerting_enabled", pattern.alerting_enabled);
  reader("alert_severity", pattern.alert_severity);
  reader("alert_channels", pattern.alert_channels);
  reader("alert_webhook", pattern.alert_webhook);
  reader("total_detections", pattern.total_detections);
  reader("prevention_success_rate", pattern.prevention_success_rate);
  reader("false_positive_rate", pattern.false_positive_rate);
  reader("last_detection_at", pattern.last_detection_at);
  reader("created_at", pattern.created_at);
  reader("updated_at", pattern.updated_at);
  reader("shadow", pattern.shadow);
  reader("active", pattern.active);
  reader.expect_done();
  validate(pattern);
  return pattern;
}

std::string to_json(const Pattern& pattern) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("pattern_id", pattern.pattern_id);
  put("pattern_type", to_string(pattern.pattern_type));
  put("pattern_name", pattern.pattern_name);
  put("description", pattern.description);
  put("min_occurrences", pattern.min_occurrences);
  put("time_window_minutes", static_cast<std::int64_t>(pattern.time_window.count()));
  put("threshold_config", pattern.threshold_config);
  put("action_sequence", pattern.action_sequence);
  put("resource_types", pattern.resource_types);
  put("namespaces", pattern.namespaces);
  put("label_selectors", pattern.label_selectors);
  put("prevention_strategy", to_string(pattern.prevention_strategy));
  put("prevention_parameters", pattern.prevention_parameters);
  put("alerting_enabled", pattern.alerting_enabled);
  put("alert_severity", pattern.alert_severity);
  put("alert_channels", pattern.alert_channels);
  put("alert_webhook", pattern.alert_webhook);
  put("total_detections", pattern.total_detections);
  put("prevention_success_rate", pattern.prevention_success_rate);
  put("false_positive_rate", pattern.false_positive_rate);
  put("last_detection_at", pattern.last_detection_at);
  put("created_at", pattern.created_at);
  put("updated_at", pattern.updated_at);
  put("shadow", pattern.shadow);
  put("active", pattern.active);
  return writer.end_object().take();
}

}  // namespace actionhist
