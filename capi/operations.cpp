#include "operations.hpp"

#include "core/trace_fields.hpp"
#include "request.hpp"

namespace actionhist::capi {

std::string record(History& history, std::string_view request) {
  return to_json(history.record(parse_action(request)));
}

std::string record_many(History& history, std::string_view request) {
  JsonDocument document;
  const JsonElement given = document.parse(request, "request");
  if (!given.is_array()) refuse("request", "must be an array of actions");
  std::vector<Action> actions;
  for (JsonElement item : simdjson::dom::array(given)) {
    try {
      actions.push_back(parse_action(std::string(simdjson::minify(item))));
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("actions[{}].{}", actions.size(), error.what()));
    }
  }
  return array_of(history.record(actions));
}

std::string let_pass(History& history, std::string_view text) {
  Request request(text);
  const std::string action = request.json("action");
  const std::string override_ = request.json("override");
  request.done();
  return to_json(history.propose(parse_action(action), parse_override(override_)));
}

std::string check(History& history, std::string_view request) {
  return to_json(history.check(parse_action(request)));
}

std::string start(History& history, std::string_view text) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const auto at = request.time("at");
  request.done();
  return to_json(history.start(action_id, at));
}

std::string complete(History& history, std::string_view text) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const std::string outcome = request.json("outcome");
  bool correction = false;
  request.read("correction", correction);
  request.done();
  return to_json(history.complete(action_id, parse_outcome(outcome), correction));
}

std::string assess(History& history, std::string_view text) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const std::string assessment = request.json("assessment");
  request.done();
  return to_json(history.assess(action_id, parse_assessment(assessment)));
}

std::string observe(History& history, std::string_view request) {
  history.observe(parse_alert(request));
  return std::string(null);
}

std::string link(History& history, std::string_view text) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  const std::string follow_up = request.required_text("follow_up");
  const std::string relation = request.required_text("relation");
  request.done();
  return to_json(history.link(action_id, follow_up, relation));
}

std::string erase(History& history, std::string_view text) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  request.done();
  return flag(history.erase(action_id));
}

std::string resource_seen(History& history, std::string_view text) {
  Request request(text);
  const Resource resource = request.resource();
  const auto at = request.time("at");
  request.done();
  history.resource_seen(resource, at);
  return std::string(null);
}

std::string resource_deleted(History& history, std::string_view text) {
  Request request(text);
  const Resource resource = request.resource();
  const auto at = request.time("at");
  request.done();
  return flag(history.resource_deleted(resource, at));
}

std::string get(History& history, std::string_view text) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  request.done();
  const auto trace = history.get(action_id);
  return trace ? to_json(*trace) : std::string(null);
}

std::string find(History& history, std::string_view text) {
  Request request(text);
  ActionQuery query;
  query.resource = request.resource();
  query.correlation_id = request.text("correlation_id");
  query.since = request.time("since");
  query.until = request.time("until");
  request.read("where", query.where);
  request.read("limit", query.limit);
  query.cursor = request.text("cursor");
  request.done();
  const Page page = history.history(query);
  JsonWriter writer;
  writer.begin_object().key("traces").raw(array_of(page.traces));
  FieldWriter put(writer);
  put("next", page.next);
  return writer.end_object().take();
}

std::string similar(History& history, std::string_view text) {
  Request request(text);
  const SimilarQuery query = request.similar();
  request.done();
  return array_of(history.similar(query));
}

std::string similar(History& history, std::string_view text, std::vector<float> vector) {
  Request request(text);
  SimilarQuery query = request.similar();
  request.done();
  if (!query.vector.empty()) refuse("vector", "is given twice");
  query.vector = std::move(vector);
  return array_of(history.similar(query));
}

std::string detect(History& history, std::string_view text) {
  Request request(text);
  DetectQuery query;
  query.resource = request.resource();
  query.correlation_id = request.text("correlation_id");
  query.session_id = request.text("session_id");
  query.as_of = request.time("as_of");
  std::optional<int> window_minutes;
  request.read("window_minutes", window_minutes);
  if (window_minutes) query.window = std::chrono::minutes(*window_minutes);
  request.done();
  return array_of(history.detect(query));
}

std::string recommend(History& history, std::string_view request) {
  return to_json(history.recommend(parse_recommend_query(request)));
}

std::string context(History& history, std::string_view request) {
  return to_json(history.context(parse_context_query(request)));
}

std::string metrics(History& history, std::string_view request) {
  return array_of(history.metrics(parse_metric_query(or_empty(request))));
}

std::string refresh_metrics(History& history, std::string_view text) {
  Request request(text);
  bool full = false;
  request.read("full", full);
  request.done();
  return to_json(history.refresh_metrics(full));
}

std::string lease_assessments(History& history, std::string_view text) {
  Request request(text);
  const std::string worker = request.required_text("worker");
  int limit = 10;
  request.read("limit", limit);
  std::int64_t lease_seconds = 60;
  request.read("lease_seconds", lease_seconds);
  request.done();
  return array_of(history.lease_assessments(worker, limit, std::chrono::seconds(lease_seconds)));
}

std::string anomalies(History& history, std::string_view request) {
  return to_json(history.anomalies(parse_anomaly_query(or_empty(request))));
}

std::string clusters(History& history, std::string_view request) {
  return to_json(history.clusters(parse_cluster_query(or_empty(request))));
}

std::string duplicates(History& history, std::string_view request) {
  return array_of(history.duplicates(parse_duplicate_query(or_empty(request))));
}

std::string projection(History& history, std::string_view request) {
  return to_json(history.projection(parse_projection_query(or_empty(request))));
}

std::string analyse(History& history, std::string_view text) {
  return to_json(history.analyse(limit_of(text)));
}

std::string upkeep(History& history, std::string_view request) {
  Request(request).done();
  return to_json(history.upkeep());
}

std::string summaries(History& history, std::string_view text) {
  Request request(text);
  const auto changed_since = request.time("changed_since");
  request.done();
  return array_of(history.summaries(changed_since));
}

std::string wait_indexed(History& history, std::string_view text) {
  Request request(text);
  std::int64_t timeout_ms = 30'000;
  request.read("timeout_ms", timeout_ms);
  request.done();
  constexpr std::int64_t year_ms = 366LL * 86'400'000;
  require_between("timeout_ms", timeout_ms, 0, year_ms);
  return flag(history.wait_indexed(std::chrono::milliseconds(timeout_ms)));
}

std::string retention_policy(History& history, std::string_view text) {
  Request request(text);
  const Resource resource = request.resource();
  request.done();
  return to_json(history.retention_policy(resource));
}

std::string retention_policies(History& history, std::string_view request) {
  Request(request).done();
  return array_of(history.retention_policies());
}

std::string set_retention_policy(History& history, std::string_view text) {
  Request request(text);
  const auto policy = request.policy();
  const Resource resource = request.resource();
  request.done();
  history.set_retention_policy(policy, resource);
  return std::string(null);
}

std::string retention_plan(History& history, std::string_view text) {
  Request request(text);
  RetentionRequest wanted;
  wanted.resource = request.resource();
  wanted.policy = request.policy();
  request.done();
  return array_of(history.retention_plan(wanted));
}

std::string apply_retention(History& history, std::string_view text, const Progress& progress) {
  Request request(text);
  RetentionRequest wanted;
  wanted.resource = request.resource();
  wanted.policy = request.policy();
  request.read("batch", wanted.batch);
  request.done();
  if (progress) {
    wanted.progress = [&progress](const RetentionProgress& p) {
      progress("apply_retention", p.removed, p.groups - p.groups_done);
    };
  }
  return to_json(history.apply_retention(wanted));
}

std::string retention_operations(History& history, std::string_view text) {
  return array_of(history.retention_operations(limit_of(text)));
}

std::string compacted(History& history, std::string_view text) {
  Request request(text);
  const Resource resource = request.resource();
  request.done();
  return array_of(history.compacted(resource));
}

std::string detection(History& history, std::string_view text) {
  Request request(text);
  const std::string detection_id = request.required_text("detection_id");
  request.done();
  const auto found = history.detection(detection_id);
  return found ? to_json(*found) : std::string(null);
}

std::string detections(History& history, std::string_view text) {
  Request request(text);
  DetectionQuery query;
  query.pattern_id = request.text("pattern_id");
  query.scope = request.text("scope");
  query.since = request.time("since");
  query.until = request.time("until");
  request.read("unresolved", query.unresolved);
  request.read("limit", query.limit);
  request.done();
  return array_of(history.detections(query));
}

std::string resolve(History& history, std::string_view text) {
  Request request(text);
  const std::string detection_id = request.required_text("detection_id");
  const std::string resolution = request.json("resolution");
  request.done();
  return to_json(history.resolve(detection_id, parse_resolution(resolution)));
}

std::string settle(History& history, std::string_view text) {
  Request request(text);
  int limit = 1000;
  request.read("limit", limit);
  request.done();
  return to_json(history.settle(limit));
}

std::string overrides(History& history, std::string_view text) {
  Request request(text);
  const auto since = request.time("since");
  int limit = 100;
  request.read("limit", limit);
  request.done();
  return array_of(history.overrides(since, limit));
}

std::string guard_policy(History& history, std::string_view text) {
  Request request(text);
  const Resource resource = request.resource();
  request.done();
  return to_json(history.guard_policy(resource));
}

std::string set_guard_policy(History& history, std::string_view text) {
  Request request(text);
  const Resource resource = request.resource();
  const std::string policy = request.json("policy");
  request.done();
  history.set_guard_policy(resource, parse_guard_policy(policy));
  return std::string(null);
}

std::string remove_pattern(History& history, std::string_view text) {
  Request request(text);
  const std::string pattern_id = request.required_text("pattern_id");
  request.done();
  return flag(history.remove_pattern(pattern_id));
}

std::string patterns(History& history, std::string_view request) {
  Request(request).done();
  return array_of(history.patterns());
}

std::string put_pattern(History& history, std::string_view request) {
  history.put_pattern(parse_pattern(request));
  return std::string(null);
}

std::string health(History& history, std::string_view request) {
  Request(request).done();
  return to_json(history.health());
}

std::string verify(History& history, std::string_view request) {
  Request(request).done();
  JsonWriter writer;
  writer.begin_array();
  for (const std::string& trouble : history.repository().maintenance().verify()) writer.value(trouble);
  return writer.end_array().take();
}

}  // namespace actionhist::capi
