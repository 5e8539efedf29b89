#include <actionhist/detection.hpp>

#include "core/json_fields.hpp"

namespace actionhist {

std::string to_json(const Detection& detection) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("detection_id", detection.detection_id);
  put("pattern_id", detection.pattern_id);
  put("pattern_type", to_string(detection.pattern_type));
  put("scope", detection.scope);
  put("resources", detection.resources);
  put("action_ids", detection.action_ids);
  put("confidence", detection.confidence);
  put("severity", to_string(detection.severity));
  put("sub_kind", detection.sub_kind);
  put("evidence", detection.evidence);
  put("as_of", detection.as_of);
  put("first_at", detection.first_at);
  put("last_at", detection.last_at);
  if (detection.prevention) put("prevention", to_string(*detection.prevention));
  put("in_force_until", detection.in_force_until);
  put("refusals", detection.refusals);
  put("refused_ids", detection.refused_ids);
  put("shadow", detection.shadow);
  put("overrides", detection.overrides);
  put("prevention_details", detection.prevention_details);
  put("prevention_successful", detection.prevention_successful);
  put("resolved_at", detection.resolved_at);
  put("resolution_method", detection.resolution_method);
  put("resolution_notes", detection.resolution_notes);
  put("false_positive", detection.false_positive);
  return writer.end_object().take();
}

std::string to_json(const OverrideRecord& record) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("override_id", record.override_id);
  put("action_id", record.action_id);
  put("actor", record.actor);
  put("reason", record.reason);
  put("overridden_at", record.overridden_at);
  put("detection_ids", record.detection_ids);
  return writer.end_object().take();
}

std::string to_json(const Settlement& settlement) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("resolved_by_timeout", settlement.resolved_by_timeout);
  put("resolved_by_evidence", settlement.resolved_by_evidence);
  put("judged", settlement.judged);
  return writer.end_object().take();
}

Resolution parse_resolution(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "resolution"), "resolution");
  Resolution resolution;
  reader("method", resolution.method);
  reader("notes", resolution.notes);
  reader("false_positive", resolution.false_positive);
  reader.expect_done();
  return resolution;
}

Override parse_override(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "override"), "override");
  Override override_;
  reader("actor", override_.actor);
  reader("reason", override_.reason);
  reader.expect_done();
  return override_;
}

}  // namespace actionhist
