#include "analysis/guard_policy.hpp"

#include "core/json_fields.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

bool has_threshold(PatternType type) {
  return type == PatternType::resource_thrashing || type == PatternType::ineffective_loop;
}

// The object with one member replaced or added.
Json with_member(const Json& object, std::string_view name, double value) {
  JsonWriter writer;
  writer.begin_object();
  if (!object.absent()) {
    JsonDocument document;
    for (auto [key, known] : simdjson::dom::object(document.parse(object))) {
      if (key != name) writer.key(key).raw(simdjson::minify(known));
    }
  }
  writer.member(name, value);
  return Json::parse(writer.end_object().take(), "threshold_config");
}

}  // namespace

void validate(const GuardPolicy& policy) {
  if (policy.window && (*policy.window < 1min || *policy.window > std::chrono::days{30})) {
    refuse("oscillation_window_minutes", "must be between 1 and 43200 (30 days)");
  }
  require_between("effectiveness_threshold", policy.effectiveness_threshold, 0, 1);
  if (policy.min_occurrences && *policy.min_occurrences < 1) {
    refuse("pattern_min_occurrences", "must be at least 1");
  }
}

Pattern applied(const GuardPolicy& policy, Pattern pattern) {
  if (policy.window) pattern.time_window = *policy.window;
  if (policy.min_occurrences && pattern.pattern_type != PatternType::action_budget) {
    pattern.min_occurrences = *policy.min_occurrences;
  }
  if (policy.effectiveness_threshold && has_threshold(pattern.pattern_type)) {
    pattern.threshold_config =
        with_member(pattern.threshold_config, "effectiveness_threshold", *policy.effectiveness_threshold);
  }
  return pattern;
}

GuardPolicy parse_guard_policy(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "policy"), "policy");
  GuardPolicy policy;
  std::optional<std::int64_t> window;
  reader("oscillation_window_minutes", window);
  if (window) policy.window = std::chrono::minutes(*window);
  reader("effectiveness_threshold", policy.effectiveness_threshold);
  reader("pattern_min_occurrences", policy.min_occurrences);
  reader.expect_done();
  validate(policy);
  return policy;
}

std::string to_json(const GuardPolicy& policy) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  if (policy.window) put("oscillation_window_minutes", static_cast<std::int64_t>(policy.window->count()));
  put("effectiveness_threshold", policy.effectiveness_threshold);
  put("pattern_min_occurrences", policy.min_occurrences);
  return writer.end_object().take();
}

}  // namespace actionhist
