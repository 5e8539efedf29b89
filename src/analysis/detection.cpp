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
  put("resolved_at", detection.resolved_at);
  put("resolution_method", detection.resolution_method);
  return writer.end_object().take();
}

}  // namespace actionhist
