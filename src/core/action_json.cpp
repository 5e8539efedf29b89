#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>
#include <actionhist/query.hpp>
#include <actionhist/summary.hpp>

#include "core/json_fields.hpp"
#include "core/resource_json.hpp"
#include "core/trace_fields.hpp"

namespace actionhist {
namespace {

void write_resource(JsonWriter& writer, const Resource& resource) {
  if (resource == Resource{}) return;
  writer.key("resource_reference").begin_object();
  FieldWriter put(writer);
  put("cluster", resource.cluster);
  put("api_group", resource.api_group);
  put("api_version", resource.api_version);
  put("kind", resource.kind);
  put("namespace", resource.namespace_);
  put("name", resource.name);
  put("uid", resource.uid);
  writer.end_object();
}

// Earlier names of `effect`: whether a record is an investigation, or whether it is mutating.
void read_effect_aliases(FieldReader& reader, Action& action) {
  std::optional<bool> mutating;
  reader("mutating", mutating);
  if (mutating && !action.effect) action.effect = *mutating ? Effect::mutating : Effect::read_only;
  std::string kind;
  reader("record_kind", kind);
  if (kind.empty() || action.effect) return;
  if (kind == "investigation") {
    action.effect = Effect::read_only;
  } else if (kind == "remediation") {
    action.effect = Effect::mutating;
  } else {
    refuse("record_kind", fmt::format("\"{}\" is none of investigation, remediation", kind));
  }
}

// What is not known goes to the metadata, where the guard does not look: a misspelt part of the resource, or a misspelt
// override, is refused instead. Short names are near to words of their own, so one needs another part beside it.
void refuse_misspelt(const FieldReader& reader, const Resource& resource) {
  using enum simdjson::dom::element_type;
  struct Guarded {
    std::string_view name;
    simdjson::dom::element_type type;
    bool known;  // by another name
  };
  const bool any = resource != Resource{};
  const Guarded guarded[] = {{"namespace", STRING, !resource.namespace_.empty()},
                             {"cluster", STRING, !resource.cluster.empty()},
                             {"resource_kind", STRING, !resource.kind.empty()},
                             {"resource_name", STRING, !resource.name.empty()},
                             {"resource_namespace", STRING, !resource.namespace_.empty()},
                             {"resource", OBJECT, any},
                             {"override", OBJECT, false},
                             {"resource_reference", OBJECT, any},
                             {"kind", STRING, !resource.kind.empty()},
                             {"name", STRING, !resource.name.empty()}};
  std::vector<std::pair<std::string_view, std::string_view>> found;
  for (const auto& [name, type, known] : guarded) {
    const std::string_view key =
        known || reader.given(name) ? std::string_view() : reader.misspelt(name, type);
    if (!key.empty()) found.emplace_back(key, name);
  }
  if (found.empty()) return;
  const auto& [key, name] = found.front();
  if (name.size() < 5 && found.size() == 1 && !any) return;
  refuse(reader.path(key), fmt::format("is not known, but {} is; put it into metadata if it is yours", name));
}

void require_object(const Json& json, std::string_view field) {
  if (!json.absent() && json.text().front() != '{') refuse(field, "must be a JSON object");
}

}  // namespace

Action parse_action(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "action"), "action");
  Action action;
  visit_cause(action, reader);
  visit_outcome(action.outcome, reader);
  action.resource = read_resource(reader);
  reader.alias("execution_status", "status", action.outcome.status);
  reader.alias("result_hash", "observation_hash", action.outcome.result_hash);
  read_effect_aliases(reader, action);
  // What to_json(Trace) adds says nothing new when it comes back.
  for (const std::string_view name : {"resource_id", "created_at", "updated_at", "stored"}) reader.take(name);
  refuse_misspelt(reader, action.resource);
  require_object(action.metadata, "metadata");
  action.metadata = reader.rest(action.metadata);
  return action;
}

Outcome parse_outcome(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "outcome"), "outcome");
  Outcome outcome;
  visit_outcome(outcome, reader);
  reader.alias("execution_status", "status", outcome.status);
  reader.alias("result_hash", "observation_hash", outcome.result_hash);
  reader.expect_done();
  return outcome;
}

std::string to_json(const Trace& trace) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  visit_cause(trace, put);
  write_resource(writer, trace.resource);
  put("resource_id", trace.resource_id);
  visit_outcome(trace.outcome, put);
  put("created_at", trace.created_at);
  put("updated_at", trace.updated_at);
  put("stored", trace.stored);
  return writer.end_object().take();
}

Alert parse_alert(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "alert"), "alert");
  Alert alert;
  reader("alert_name", alert.name);
  reader("alert_fingerprint", alert.fingerprint);
  reader.alias("alert_fingerprint", "fingerprint", alert.fingerprint);
  reader("alert_severity", alert.severity);
  reader.alias("alert_severity", "severity", alert.severity);
  reader("alert_labels", alert.labels);
  reader.alias("alert_labels", "labels", alert.labels);
  std::optional<TimePoint> starts_at;
  reader("alert_firing_time", starts_at);
  reader.alias("alert_firing_time", "starts_at", starts_at);
  reader("ends_at", alert.ends_at);
  alert.resource = read_resource(reader);
  reader.expect_done();
  if (alert.name.empty()) refuse("alert_name", "is required");
  if (!starts_at) refuse("starts_at", "is required");
  alert.starts_at = *starts_at;
  return alert;
}

std::string to_json(const Summary& summary) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("resource_id", summary.resource_id);
  write_resource(writer, summary.resource);
  put("total_actions", summary.total_actions);
  put("last_action_at", summary.last_action_at);
  put("last_24h", summary.last_24h);
  put("last_7d", summary.last_7d);
  put("success_rate", summary.success_rate);
  put("recent_effectiveness", summary.recent_effectiveness);
  writer.key("active_patterns").begin_array();
  for (const ActivePattern& pattern : summary.active_patterns) {
    writer.begin_object();
    put("pattern_type", to_string(pattern.pattern_type));
    put("severity", to_string(pattern.severity));
    put("last_detected", pattern.last_detected);
    writer.end_object();
  }
  writer.end_array();
  return writer.end_object().take();
}

}  // namespace actionhist
