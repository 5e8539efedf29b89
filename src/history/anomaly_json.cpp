#include <actionhist/anomaly.hpp>

#include "core/json_fields.hpp"

namespace actionhist {
namespace {

void write(JsonWriter& writer, const Anomaly& anomaly) {
  writer.begin_object();
  FieldWriter put(writer);
  put("scope", anomaly.scope);
  put("surprise", anomaly.surprise);
  put("threshold", anomaly.threshold);
  put("previous", anomaly.previous);
  put("step", anomaly.step);
  put("action_id", anomaly.action_id);
  put("actions", anomaly.actions);
  put("first_at", anomaly.first_at);
  put("last_at", anomaly.last_at);
  put("reason", anomaly.reason);
  writer.end_object();
}

}  // namespace

std::string to_json(const Anomaly& anomaly) {
  JsonWriter writer;
  write(writer, anomaly);
  return writer.take();
}

std::string to_json(const Anomalies& anomalies) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  writer.key("runs").begin_array();
  for (const Anomaly& each : anomalies.runs) write(writer, each);
  writer.end_array();
  put("judged", anomalies.judged);
  put("history", anomalies.history);
  put("enough", anomalies.enough);
  put("threshold", anomalies.threshold);
  put("complete", anomalies.complete);
  return writer.end_object().take();
}

AnomalyQuery parse_anomaly_query(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "anomalies"), "anomalies");
  AnomalyQuery query;
  reader("as_of", query.as_of);
  reader("since", query.since);
  reader("history_days", query.history_days);
  reader("where", query.where);
  reader("quantile", query.quantile);
  reader("limit", query.limit);
  reader.expect_done();
  return query;
}

}  // namespace actionhist
