#include <actionhist/retention.hpp>

#include "core/json_fields.hpp"
#include "core/names.hpp"
#include "core/trace_fields.hpp"

namespace actionhist {
namespace {

constexpr NameTable<RetentionStrategy, 3> strategy_names{{
    {RetentionStrategy::oldest_first, "oldest-first"},
    {RetentionStrategy::effectiveness_based, "effectiveness-based"},
    {RetentionStrategy::pattern_aware, "pattern-aware"},
}};

constexpr NameTable<RetentionReason, 3> reason_names{{
    {RetentionReason::age, "age"},
    {RetentionReason::count, "count"},
    {RetentionReason::score, "score"},
}};

constexpr std::int64_t most_days = 100 * 366;
constexpr std::int64_t most_actions = 1'000'000'000;
constexpr int most_kept = 100'000;

void write_resource(JsonWriter& writer, const std::string& resource_id, const Resource& resource) {
  FieldWriter put(writer);
  put("resource_id", resource_id);
  if (resource == Resource{}) return;
  writer.key("resource_reference").begin_object();
  visit_resource(resource, [&](std::string_view name, const std::string& text) { put(name, text); });
  writer.end_object();
}

}  // namespace

std::string_view to_string(RetentionStrategy strategy) noexcept { return name_of(strategy_names, strategy); }
std::string_view to_string(RetentionReason reason) noexcept { return name_of(reason_names, reason); }

RetentionStrategy parse_retention_strategy(std::string_view text, std::string_view field) {
  return value_of(strategy_names, text, field);
}

void validate(const RetentionPolicy& policy) {
  require_between("max_actions", policy.max_actions, 1, most_actions);
  if (policy.max_age) require_between("max_age_days", policy.max_age->count(), 1, most_days);
  require_between("min_effectiveness", policy.min_effectiveness, 0, 1);
  require_between("pattern_examples", policy.pattern_examples, 0, most_kept);
  require_between("high_effectiveness", policy.high_effectiveness, 0, most_kept);
}

RetentionPolicy parse_retention_policy(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "policy"), "policy");
  RetentionPolicy policy;
  reader("max_actions", policy.max_actions);
  std::optional<std::int64_t> days;
  reader("max_age_days", days);
  require_between("max_age_days", days, 1, most_days);
  if (days) policy.max_age = std::chrono::days(*days);
  std::string strategy;
  reader("compaction_strategy", strategy);
  if (!strategy.empty()) policy.strategy = parse_retention_strategy(strategy);
  reader("min_effectiveness", policy.min_effectiveness);
  reader("pattern_examples", policy.pattern_examples);
  reader("high_effectiveness", policy.high_effectiveness);
  reader("legal_hold", policy.legal_hold);
  reader("compact", policy.compact);
  reader.expect_done();
  validate(policy);
  return policy;
}

std::string to_json(const RetentionPolicy& policy) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("max_actions", policy.max_actions);
  if (policy.max_age) put("max_age_days", std::int64_t{policy.max_age->count()});
  put("compaction_strategy", to_string(policy.strategy));
  put("min_effectiveness", policy.min_effectiveness);
  put("pattern_examples", policy.pattern_examples);
  put("high_effectiveness", policy.high_effectiveness);
  put("legal_hold", policy.legal_hold);
  put("compact", policy.compact);
  return writer.end_object().take();
}

std::string to_json(const RetentionRule& rule) {
  JsonWriter writer;
  writer.begin_object();
  write_resource(writer, rule.resource_id, rule.resource);
  writer.key("policy").raw(to_json(rule.policy));
  return writer.end_object().take();
}

std::string to_json(const RetentionPlan& plan) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  write_resource(writer, plan.resource_id, plan.resource);
  writer.key("policy").raw(to_json(plan.policy));
  put("records_before", plan.records_before);
  put("records_going", plan.going.size());
  put("kept_cited", plan.kept_cited);
  put("kept_best", plan.kept_best);
  put("kept_open", plan.kept_open);
  put("kept_guarded", plan.kept_guarded);
  put("kept_held", plan.kept_held);
  put("partial", plan.partial);
  writer.key("going").begin_array();
  for (const ExpiringAction& action : plan.going) {
    writer.begin_object().member("action_id", action.action_id);
    writer.member("action_timestamp", format_time(action.time)).member("reason", to_string(action.reason));
    writer.end_object();
  }
  writer.end_array();
  return writer.end_object().take();
}

std::string to_json(const RetentionOperation& operation) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("operation_id", operation.operation_id);
  put("run_id", operation.run_id);
  put("resource_id", operation.resource_id);
  put("operation_type", operation.operation_type);
  put("strategy_used", operation.strategy_used);
  put("records_before", operation.records_before);
  put("records_after", operation.records_after);
  put("records_deleted", operation.records_deleted);
  put("records_archived", operation.records_archived);
  put("retention_criteria", operation.retention_criteria);
  put("preserved_criteria", operation.preserved_criteria);
  put("operation_start", operation.operation_start);
  put("operation_end", operation.operation_end);
  put("operation_duration_ms", operation.operation_duration_ms);
  put("operation_status", operation.operation_status);
  put("error_message", operation.error_message);
  put("created_at", operation.created_at);
  put("updated_at", operation.updated_at);
  return writer.end_object().take();
}

std::string to_json(const CompactedActions& actions) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("resource_id", actions.resource_id);
  put("action_type", actions.action_type);
  put("alert_name", actions.alert_name);
  put("period_start", actions.period_start);
  put("actions", actions.actions);
  put("completed", actions.completed);
  put("failed", actions.failed);
  put("assessed", actions.assessed);
  put("score_sum", actions.score_sum);
  put("score_square_sum", actions.score_square_sum);
  put("timed", actions.timed);
  put("duration_ms_sum", actions.duration_ms_sum);
  put("first_at", actions.first_at);
  put("last_at", actions.last_at);
  return writer.end_object().take();
}

std::string to_json(const RetentionRun& run) {
  JsonWriter writer;
  writer.begin_object().member("run_id", run.run_id).member("removed", run.removed);
  writer.member("alerts", run.alerts);
  writer.key("operations").begin_array();
  for (const RetentionOperation& operation : run.operations) writer.raw(to_json(operation));
  return writer.end_array().end_object().take();
}

}  // namespace actionhist
