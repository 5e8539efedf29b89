#include <actionhist/discovery.hpp>

#include "core/json_fields.hpp"

namespace actionhist {
namespace {

void write(JsonWriter& writer, const Cluster& cluster) {
  writer.begin_object();
  FieldWriter put(writer);
  put("name", cluster.name);
  put("terms", cluster.terms);
  put("types", cluster.types);
  put("actions", cluster.actions);
  put("cohesion", cluster.cohesion);
  put("stability", cluster.stability);
  put("assessed", cluster.assessed);
  put("effectiveness", cluster.effectiveness);
  put("trend", cluster.trend);
  put("first_at", cluster.first_at);
  put("last_at", cluster.last_at);
  put("examples", cluster.examples);
  writer.end_object();
}

void write(JsonWriter& writer, std::string_view name, const std::vector<double>& numbers) {
  writer.key(name).begin_array();
  for (const double number : numbers) writer.value(number);
  writer.end_array();
}

// Reads the common part; `more` reads what the query has beside it.
template <class Query, class More>
Query parse(std::string_view json, std::string_view what, More more) {
  JsonDocument document;
  FieldReader reader(document.parse(json, what), what);
  Query query;
  reader("where", query.where);
  reader("since", query.since);
  reader("until", query.until);
  reader("actions", query.actions);
  reader("seed", query.seed);
  more(reader, query);
  reader.expect_done();
  return query;
}

}  // namespace

std::string to_json(const Cluster& cluster) {
  JsonWriter writer;
  write(writer, cluster);
  return writer.take();
}

std::string to_json(const Clusters& clusters) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  writer.key("clusters").begin_array();
  for (const Cluster& each : clusters.clusters) write(writer, each);
  writer.end_array();
  put("actions", clusters.actions);
  put("complete", clusters.complete);
  put("silhouette", clusters.silhouette);
  return writer.end_object().take();
}

std::string to_json(const Duplicates& duplicates) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("action_ids", duplicates.action_ids);
  put("similarity", duplicates.similarity);
  return writer.end_object().take();
}

std::string to_json(const Projection& projection) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  writer.key("points").begin_array();
  for (const ProjectedAction& point : projection.points) {
    writer.begin_object();
    put("action_id", point.action_id);
    put("action_type", point.action_type);
    write(writer, "at", point.at);
    writer.end_object();
  }
  writer.end_array();
  write(writer, "explained", projection.explained);
  put("complete", projection.complete);
  return writer.end_object().take();
}

ClusterQuery parse_cluster_query(std::string_view json) {
  return parse<ClusterQuery>(
      json, "clusters", [](FieldReader& reader, ClusterQuery& query) { reader("clusters", query.clusters); });
}

DuplicateQuery parse_duplicate_query(std::string_view json) {
  return parse<DuplicateQuery>(json, "duplicates", [](FieldReader& reader, DuplicateQuery& query) {
    reader("threshold", query.threshold);
  });
}

ProjectionQuery parse_projection_query(std::string_view json) {
  return parse<ProjectionQuery>(json, "projection", [](FieldReader& reader, ProjectionQuery& query) {
    reader("dimensions", query.dimensions);
  });
}

}  // namespace actionhist
