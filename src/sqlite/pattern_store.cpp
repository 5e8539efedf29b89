#include "sqlite/stores.hpp"

#include "core/hash.hpp"
#include "core/json_io.hpp"

namespace actionhist::sqlite {
namespace {

std::string write_list(std::span<const std::string> items) {
  JsonWriter writer;
  writer.begin_array();
  for (const std::string& item : items) writer.value(item);
  return writer.end_array().take();
}

std::vector<std::string> read_list(Query& query) {
  JsonDocument document;
  std::vector<std::string> items;
  for (JsonElement item : simdjson::dom::array(document.parse(query.get<std::string>(), "list"))) {
    items.emplace_back(std::string_view(item));
  }
  return items;
}

constexpr const char* detection_columns =
    "detection_id, pattern_id, pattern_type, scope, resources, detected_at, confidence, severity, sub_kind, "
    "matching_actions, pattern_evidence, first_at, last_at, prevention_action, in_force_until, "
    "refusals, refused_ids, resolved_at, resolution_method";

Detection read_detection(Query& query) {
  Detection d;
  query.read(d.detection_id).read(d.pattern_id);
  d.pattern_type = parse_pattern_type(query.get<std::string>());
  query.read(d.scope);
  d.resources = read_list(query);
  query.read(d.as_of).read(d.confidence);
  d.severity = parse_severity(query.get<std::string>());
  query.read(d.sub_kind);
  d.action_ids = read_list(query);
  query.read(d.evidence).read(d.first_at).read(d.last_at);
  if (const auto prevention = query.get<std::string>(); !prevention.empty()) {
    d.prevention = parse_prevention(prevention);
  }
  query.read(d.in_force_until).read(d.refusals);
  d.refused_ids = read_list(query);
  query.read(d.resolved_at).read(d.resolution_method);
  return d;
}

// " AND scope IN (?, …)", or nothing when no scope is asked for.
std::string scope_condition(std::span<const Scope> scopes) {
  if (scopes.empty()) return {};
  std::string text = " AND scope IN (?";
  for (std::size_t i = 1; i < scopes.size(); ++i) text += ", ?";
  return text + ")";
}

std::vector<Detection> read_detections(Query& query) {
  std::vector<Detection> detections;
  while (query.step()) detections.push_back(read_detection(query));
  return detections;
}

std::vector<std::string> names_of(std::span<const Scope> scopes) {
  std::vector<std::string> names;
  for (const Scope& scope : scopes) names.push_back(to_string(scope));
  return names;
}

}  // namespace

std::vector<Pattern> SqlitePatternStore::patterns() {
  return engine_.read([&](Connection& connection) {
    Query query(
        connection,
        "SELECT pattern_id, pattern_type, pattern_name, description, min_occurrences, "
        "time_window_minutes, threshold_config, resource_types, namespaces, label_selectors, "
        "prevention_strategy, prevention_parameters, alerting_enabled, alert_severity, alert_channels, "
        "total_detections, last_detection_at, active FROM oscillation_patterns WHERE tenant_id = ? "
        "ORDER BY pattern_id");
    query.bind(engine_.tenant());
    std::vector<Pattern> patterns;
    while (query.step()) {
      Pattern& p = patterns.emplace_back();
      query.read(p.pattern_id);
      p.pattern_type = parse_pattern_type(query.get<std::string>());
      query.read(p.pattern_name).read(p.description).read(p.min_occurrences);
      p.time_window = std::chrono::minutes{query.get<std::int64_t>()};
      query.read(p.threshold_config);
      p.resource_types = read_list(query);
      p.namespaces = read_list(query);
      query.read(p.label_selectors);
      p.prevention_strategy = parse_prevention(query.get<std::string>());
      query.read(p.prevention_parameters).read(p.alerting_enabled).read(p.alert_severity);
      p.alert_channels = read_list(query);
      query.read(p.total_detections).read(p.last_detection_at).read(p.active);
    }
    return patterns;
  });
}

void SqlitePatternStore::put(const Pattern& p) {
  const std::string types = write_list(p.resource_types);
  const std::string namespaces = write_list(p.namespaces);
  const std::string channels = write_list(p.alert_channels);
  engine_.write([&](Connection& connection) {
    Query query(
        connection,
        "INSERT INTO oscillation_patterns (tenant_id, pattern_id, pattern_type, pattern_name, description, "
        "min_occurrences, time_window_minutes, threshold_config, resource_types, namespaces, "
        "label_selectors, prevention_strategy, prevention_parameters, alerting_enabled, alert_severity, "
        "alert_channels, total_detections, last_detection_at, active) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "pattern_type = excluded.pattern_type, pattern_name = excluded.pattern_name, "
        "description = excluded.description, min_occurrences = excluded.min_occurrences, "
        "time_window_minutes = excluded.time_window_minutes, "
        "threshold_config = excluded.threshold_config, resource_types = excluded.resource_types, "
        "namespaces = excluded.namespaces, label_selectors = excluded.label_selectors, "
        "prevention_strategy = excluded.prevention_strategy, "
        "prevention_parameters = excluded.prevention_parameters, "
        "alerting_enabled = excluded.alerting_enabled, alert_severity = excluded.alert_severity, "
        "alert_channels = excluded.alert_channels, active = excluded.active");
    query.bind_all(engine_.tenant(), p.pattern_id, to_string(p.pattern_type)).bind_text(p.pattern_name);
    query.bind_all(p.description, p.min_occurrences, std::int64_t{p.time_window.count()}, p.threshold_config,
                   types, namespaces, p.label_selectors, to_string(p.prevention_strategy),
                   p.prevention_parameters, p.alerting_enabled);
    query.bind_text(p.alert_severity);
    query.bind_all(channels, p.total_detections, p.last_detection_at, p.active).run();
  });
}

bool SqlitePatternStore::remove(std::string_view pattern_id) {
  return engine_.write([&](Connection& connection) {
    return Query(connection, "DELETE FROM oscillation_patterns WHERE tenant_id = ? AND pattern_id = ?")
               .bind_all(engine_.tenant(), pattern_id)
               .run() > 0;
  });
}

Detection SqlitePatternStore::put(const Detection& detection) {
  Detection d = detection;
  const bool fresh = d.detection_id.empty();
  if (fresh) d.detection_id = uuid_v7(d.as_of);
  const std::string resources = write_list(d.resources);
  const std::string actions = write_list(d.action_ids);
  const std::string refused = write_list(d.refused_ids);
  const auto span = std::chrono::ceil<std::chrono::minutes>(d.last_at - d.first_at);
  engine_.write([&](Connection& connection) {
    Query query(
        connection,
        "INSERT INTO oscillation_detections (tenant_id, detection_id, pattern_id, pattern_type, scope, "
        "resources, detected_at, confidence, severity, sub_kind, action_count, time_span_minutes, "
        "matching_actions, pattern_evidence, first_at, last_at, prevention_applied, prevention_action, "
        "in_force_until, refusals, refused_ids, resolved_at, resolution_method) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO "
        "UPDATE SET in_force_until = excluded.in_force_until, refusals = excluded.refusals, "
        "refused_ids = excluded.refused_ids, resolved_at = excluded.resolved_at, "
        "resolution_method = excluded.resolution_method");
    query.bind_all(engine_.tenant(), d.detection_id, d.pattern_id, to_string(d.pattern_type), d.scope,
                   resources, d.as_of, d.confidence, to_string(d.severity), d.sub_kind,
                   static_cast<std::int64_t>(d.action_ids.size()), std::int64_t{span.count()}, actions,
                   d.evidence, d.first_at, d.last_at, d.prevention.has_value());
    query.bind(d.prevention ? to_string(*d.prevention) : std::string_view{});
    query.bind_all(d.in_force_until, d.refusals, refused, d.resolved_at, d.resolution_method).run();
    if (!fresh) return;
    Query(connection,
          "UPDATE oscillation_patterns SET total_detections = total_detections + 1, "
          "last_detection_at = ? WHERE tenant_id = ? AND pattern_id = ?")
        .bind_all(d.as_of, engine_.tenant(), d.pattern_id)
        .run();
  });
  return d;
}

std::vector<Detection> SqlitePatternStore::in_force(std::span<const Scope> scopes, TimePoint now) {
  const std::vector<std::string> names = names_of(scopes);
  return engine_.read([&](Connection& connection) {
    Query query(connection, std::string("SELECT ") + detection_columns +
                                " FROM oscillation_detections WHERE tenant_id = ? AND in_force_until > ? AND "
                                "resolved_at IS NULL" +
                                scope_condition(scopes) + " ORDER BY detection_id");
    query.bind_all(engine_.tenant(), now);
    for (const std::string& name : names) query.bind(name);
    return read_detections(query);
  });
}

std::vector<Detection> SqlitePatternStore::detections(std::span<const Scope> scopes, TimePoint since,
                                                      TimePoint until, int limit) {
  const std::vector<std::string> names = names_of(scopes);
  return engine_.read([&](Connection& connection) {
    Query query(connection, std::string("SELECT ") + detection_columns +
                                " FROM oscillation_detections WHERE tenant_id = ? AND detected_at >= ? AND "
                                "detected_at < ?" +
                                scope_condition(scopes) + " ORDER BY detected_at DESC, detection_id LIMIT ?");
    query.bind_all(engine_.tenant(), since, until);
    for (const std::string& name : names) query.bind(name);
    query.bind(limit);
    return read_detections(query);
  });
}

}  // namespace actionhist::sqlite
