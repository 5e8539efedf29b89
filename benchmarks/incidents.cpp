#include "incidents.hpp"

#include <fstream>

#include "core/json_io.hpp"

namespace actionhist::benchmark {
namespace {

std::string text(JsonElement object, const char* name) {
  std::string_view value;
  return std::string(object.at_key(name).get(value) == simdjson::SUCCESS ? value : std::string_view());
}

Incident read_incident(JsonElement row) {
  Incident incident;
  Action& action = incident.action;
  incident.scenario = text(row, "scenario_family");
  action.action_id = text(row, "incident_id");
  const std::string captured = text(row, "captured_at");
  action.action_timestamp = parse_time(captured.empty() ? "2026-05-01T00:00:00Z" : captured);
  action.action_type = text(row, "action_type");
  action.alert_name = text(row, "alert_name");
  action.alert_severity = text(row, "alert_severity");
  JsonElement resource;
  if (row.at_key("target_resource").get(resource) == simdjson::SUCCESS && resource.is_object()) {
    // Names and namespaces of a demonstration give its scenario away.
    action.resource.kind = text(resource, "kind");
  }
  action.model_reasoning = text(row, "root_cause");
  action.effect = Effect::mutating;
  action.outcome.status = Status::completed;
  double score = 0;
  if (row.at_key("outcome_score").get(score) == simdjson::SUCCESS) {
    action.outcome.effectiveness_score = score;
    incident.solved = score >= .5;
  }
  action.metadata = Json::object({{"incident", action.action_id}, {"scenario", incident.scenario}});
  return incident;
}

}  // namespace

std::vector<Incident> read_incidents(const std::filesystem::path& data) {
  const std::string path = (data / "actions" / "kubernaut_incidents.jsonl").string();
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::not_found, path + ": is not there");
  std::vector<Incident> incidents;
  JsonDocument document;
  for (std::string line; std::getline(file, line);) {
    Incident incident = read_incident(document.parse(line, path));
    if (!incident.action.action_type.empty()) incidents.push_back(std::move(incident));
  }
  return incidents;
}

}  // namespace actionhist::benchmark
