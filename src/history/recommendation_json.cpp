#include <actionhist/recommendation.hpp>

#include "core/json_fields.hpp"
#include "core/resource_json.hpp"

namespace actionhist {
namespace {

void write(JsonWriter& writer, const RecommendedCase& example) {
  writer.begin_object();
  FieldWriter put(writer);
  put("action_id", example.action_id);
  put("action_timestamp", example.time);
  put("resource", to_string(example.resource));
  put("alert_name", example.alert_name);
  put("similarity", example.similarity);
  put("outcome", example.outcome);
  writer.end_object();
}

void write(JsonWriter& writer, const Recommendation& recommendation) {
  writer.begin_object();
  FieldWriter put(writer);
  put("action_type", recommendation.action_type);
  put("expected_success", recommendation.expected_success);
  put("lower", recommendation.lower);
  put("upper", recommendation.upper);
  put("likeness", recommendation.likeness);
  put("supported", recommendation.supported);
  put("share", recommendation.share);
  put("usual_success", recommendation.usual_success);
  put("effective_sample_size", recommendation.effective_sample_size);
  put("similar_cases", recommendation.similar_cases);
  put("all_cases", recommendation.all_cases);
  put("action_parameters", recommendation.action_parameters);
  put("reason", recommendation.reason);
  writer.key("examples").begin_array();
  for (const RecommendedCase& example : recommendation.examples) write(writer, example);
  writer.end_array();
  writer.end_object();
}

}  // namespace

RecommendQuery parse_recommend_query(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "recommend"), "recommend");
  RecommendQuery query;
  reader("text", query.text);
  reader("alert_name", query.alert_name);
  reader("alert_severity", query.alert_severity);
  query.resource = read_resource(reader);
  reader("action_id", query.action_id);
  reader("where", query.where);
  reader("limit", query.limit);
  reader("neighbours", query.neighbours);
  reader("explore", query.explore);
  reader("fresh", query.fresh);
  reader.expect_done();
  return query;
}

std::string to_json(const Recommendation& recommendation) {
  JsonWriter writer;
  write(writer, recommendation);
  return writer.take();
}

std::string to_json(const Recommendations& recommendations) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  writer.key("actions").begin_array();
  for (const Recommendation& each : recommendations.actions) write(writer, each);
  writer.end_array();
  writer.key("avoid").begin_array();
  for (const Recommendation& each : recommendations.avoid) write(writer, each);
  writer.end_array();
  put("likeness", recommendations.likeness);
  put("supported", recommendations.supported);
  put("fallback", recommendations.fallback);
  return writer.end_object().take();
}

}  // namespace actionhist
