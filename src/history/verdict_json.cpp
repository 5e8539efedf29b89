#include <actionhist/verdict.hpp>

#include "core/json_fields.hpp"
#include "core/names.hpp"

namespace actionhist {
namespace {

constexpr NameTable<Decision, 5> decision_names{{
    {Decision::allowed, "allowed"},
    {Decision::blocked, "blocked"},
    {Decision::cooling, "cooling"},
    {Decision::escalate, "escalate"},
    {Decision::alternative, "alternative"},
}};

}  // namespace

std::string_view to_string(Decision decision) noexcept { return name_of(decision_names, decision); }

std::string to_json(const Verdict& verdict) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("allowed", verdict.allowed());
  put("decision", to_string(verdict.decision));
  put("repeated", verdict.repeated);
  put("reason", verdict.reason);
  put("retry_after", verdict.retry_after);
  if (verdict.trace) writer.key("trace").raw(to_json(*verdict.trace));
  writer.key("detections").begin_array();
  for (const Detection& detection : verdict.detections) writer.raw(to_json(detection));
  writer.end_array();
  if (!verdict.shadowed.empty()) {
    writer.key("shadowed").begin_array();
    for (const Detection& detection : verdict.shadowed) writer.raw(to_json(detection));
    writer.end_array();
  }
  if (verdict.overridden) put("overridden", true);
  if (verdict.alternative) writer.key("alternative").raw(to_json(*verdict.alternative));
  put("not_evaluated", verdict.not_evaluated);
  return writer.end_object().take();
}

}  // namespace actionhist
