#include "history/validate.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <simdjson.h>

#include <actionhist/history.hpp>

#include "core/names.hpp"
#include "core/refuse.hpp"
#include "core/trace_fields.hpp"

namespace actionhist {
namespace {

constexpr std::size_t max_id_bytes = 255;
constexpr std::size_t max_name_bytes = 1024;
constexpr std::size_t max_text_bytes = 256 * 1024;
constexpr TimePoint earliest{std::chrono::sys_days{std::chrono::year{2000} / 1 / 1}};

bool acceptable(std::string_view text, std::size_t limit) {
  if (text.empty()) return true;
  return text.size() <= limit && simdjson::validate_utf8(text.data(), text.size()) &&
         text.find('\0') == text.npos;
}

void check_text(std::string_view field, std::string_view text, std::size_t limit) {
  if (acceptable(text, limit)) return;
  if (text.size() > limit)
    refuse(field, fmt::format("is {} bytes long, at most {} are kept", text.size(), limit));
  if (!simdjson::validate_utf8(text.data(), text.size())) refuse(field, "is not valid UTF-8");
  refuse(field, "holds a NUL character");
}

// The shape that a JSON column must have; the others take any value.
char shape_of(std::string_view field) {
  if (field == "alternative_actions" || field == "kubernetes_operations" || field == "follow_up_actions") {
    return '[';
  }
  return '{';
}

void check_json(std::string_view field, const Json& json) {
  if (json.absent()) return;
  const char shape = shape_of(field);
  if (json.text().front() != shape)
    refuse(field, shape == '[' ? "must be a JSON array" : "must be a JSON object");
}

// Checks one field whatever its type is.
class FieldCheck {
 public:
  void operator()(std::string_view field, const std::string& text) const {
    check_text(field, text, limit_of(field));
  }
  void operator()(std::string_view field, const Json& json) const { check_json(field, json); }
  void operator()(std::string_view field, const std::optional<double>& share) const {
    require_between(field, share, 0, 1);
  }
  void operator()(std::string_view field, const std::optional<std::int64_t>& milliseconds) const {
    if (!milliseconds) return;
    if (*milliseconds < 0) refuse(field, "is negative");
    if (*milliseconds > longest_duration.count())
      refuse(field, "is longer than ten years; it is in milliseconds");
  }
  void operator()(std::string_view field, const std::optional<TimePoint>& time) const {
    const TimePoint latest{std::chrono::sys_days{std::chrono::year{2200} / 1 / 1}};
    if (time && (*time < earliest || *time > latest))
      refuse(field, format_time(*time) + " is not a plausible time");
  }
  void operator()(std::string_view, Status) const {}
  void operator()(std::string_view, const std::optional<Effect>&) const {}
};

void check_now(std::string_view field, TimePoint time, TimePoint now) {
  if (time < earliest) refuse(field, format_time(time) + " is before 2000-01-01");
  if (time > now + allowed_skew) {
    refuse(field, fmt::format("{} is in the future: it is {} now", format_time(time), format_time(now)));
  }
}

// The owner of a resource, "Deployment/web"; "unknown" is none.
void check_owner(const std::string& owner) {
  if (owner.empty() || std::ranges::count(owner, '/') == 1 || normalized({.kind = owner}).kind.empty())
    return;
  refuse("owner", fmt::format("\"{}\" must be KIND/NAME, as in Deployment/web", excerpt(owner)));
}

}  // namespace

std::size_t limit_of(std::string_view field) {
  if (field.ends_with("_id")) return max_id_bytes;
  if (field == "model_reasoning" || field == "execution_error" || field == "effectiveness_notes") {
    return max_text_bytes;
  }
  return max_name_bytes;
}

void validate_id(std::string_view id, std::string_view field) {
  if (id.empty()) refuse(field, "is required");
  check_text(field, id, max_id_bytes);
}

void validate_text(std::string_view text, std::string_view field, std::size_t limit) {
  check_text(field, text, limit);
}

void validate_time(const std::optional<TimePoint>& time, std::string_view field, TimePoint now) {
  if (time) check_now(field, *time, now);
}

void validate(const Resource& resource) {
  visit_resource(resource, [](std::string_view field, const std::string& text) {
    if (acceptable(text, max_name_bytes)) return;
    check_text(fmt::format("resource_reference.{}", field), text, max_name_bytes);
  });
  if (resource.kind.find('.') == std::string::npos) return;
  const std::string own =
      normalized({.api_group = resource.api_group, .api_version = resource.api_version}).api_group;
  const std::string named = normalized({.kind = resource.kind}).api_group;
  if (!own.empty() && !named.empty() && !names_kind(resource.kind, normalized(resource))) {
    refuse("resource_reference.kind",
           fmt::format("\"{}\" names the API group \"{}\", but the resource has \"{}\"",
                       excerpt(resource.kind), named, own));
  }
}

void validate(const Options& options) {
  if (options.tenant) validate_id(*options.tenant, "tenant");
  require_between("busy_timeout_ms", options.busy_timeout.count(), 0, 86'400'000);
  const std::chrono::seconds upkeep = options.upkeep_interval;
  if (upkeep.count() != 0 && (upkeep < std::chrono::seconds(1) || upkeep > std::chrono::hours(24)))
    refuse("upkeep_interval", "must be 0 or between 1 s and 24 h");
}

void validate(const Outcome& outcome) {
  visit_outcome(outcome, FieldCheck{});
  if (outcome.execution_start_time && outcome.execution_end_time &&
      *outcome.execution_end_time < *outcome.execution_start_time) {
    refuse("execution_end_time", "is before execution_start_time");
  }
  const std::string& method = outcome.effectiveness_assessment_method;
  if (!method.empty() && method != "automated" && method != "manual" && method != "ml-derived") {
    refuse("effectiveness_assessment_method",
           fmt::format("\"{}\" is none of automated, manual, ml-derived", excerpt(method)));
  }
}

void validate(const Action& action, TimePoint now, bool time_optional) {
  if (action.action_type.empty()) refuse("action_type", "is required");
  if (!action.action_timestamp && !time_optional) {
    refuse("action_timestamp", "is required; only propose() takes the time from the clock");
  }
  if (action.action_timestamp) check_now("action_timestamp", *action.action_timestamp, now);
  visit_cause(action, FieldCheck{});
  check_owner(action.owner);
  validate(action.resource);
  validate(action.outcome);
}

void validate(const Alert& alert, TimePoint now) {
  if (alert.name.empty()) refuse("alert_name", "is required");
  check_text("alert_name", alert.name, max_name_bytes);
  check_text("fingerprint", alert.fingerprint, max_id_bytes);
  check_text("severity", alert.severity, max_name_bytes);
  check_json("labels", alert.labels);
  validate(alert.resource);
  check_now("starts_at", alert.starts_at, now);
  if (alert.ends_at && *alert.ends_at < alert.starts_at) refuse("ends_at", "is before starts_at");
}

void validate(const Assessment& assessment) {
  require_between("health", assessment.health, 0, 1);
  require_between("alert", assessment.alert, 0, 1);
  require_between("metrics", assessment.metrics, 0, 1);
  require_between("score", assessment.score, 0, 1);
  check_text("notes", assessment.notes, max_text_bytes);
  Outcome outcome;
  outcome.effectiveness_assessment_method = assessment.method;
  outcome.effectiveness_criteria = assessment.criteria;
  validate(outcome);
}

}  // namespace actionhist
