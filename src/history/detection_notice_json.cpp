#include <fmt/format.h>

#include <actionhist/detection.hpp>

#include "core/json_fields.hpp"

namespace actionhist {
namespace {

// The notice in one sentence.
std::string text_of(const DetectionNotice& notice) {
  const Detection& detection = notice.detection;
  const std::string_view what = notice.overridden        ? "Let pass by an override"
                                : detection.shadow       ? "Noticed by a pattern that is only tried"
                                : detection.refusals > 0 ? "Refused"
                                                         : "Noticed";
  const std::string rule = detection.sub_kind.empty() ? "" : fmt::format(" ({})", detection.sub_kind);
  return fmt::format("{}: action {} on {}, {}{}, severity {}, confidence {:.2f}.", what, notice.action_id,
                     detection.scope, to_string(detection.pattern_type), rule, to_string(detection.severity),
                     detection.confidence);
}

}  // namespace

std::string to_json(const DetectionNotice& notice) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("text", text_of(notice));
  writer.key("detection").raw(to_json(notice.detection));
  put("action_id", notice.action_id);
  put("fresh", notice.fresh);
  put("overridden", notice.overridden);
  put("alert_severity", notice.alert_severity);
  writer.key("alert_channels").begin_array();
  for (const std::string& channel : notice.alert_channels) writer.value(channel);
  return writer.end_array().end_object().take();
}

}  // namespace actionhist
