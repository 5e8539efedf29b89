#include <actionhist/health.hpp>

#include "core/index_fields.hpp"
#include "core/json_fields.hpp"

namespace actionhist {
namespace {

void write(JsonWriter& writer, const RouteStats& route) {
  writer.begin_object();
  FieldWriter put(writer);
  put("use_case", route.use_case);
  put("route", route.route);
  put("fallback", route.fallback);
  put("hits", route.hits);
  put("fallbacks", route.fallbacks);
  put("mean_ms", route.mean_ms);
  put("max_ms", route.max_ms);
  writer.end_object();
}

void write(JsonWriter& writer, const EngineInfo& engine) {
  writer.begin_object();
  FieldWriter put(writer);
  put("engine", engine.engine);
  put("location", engine.location);
  put("version", engine.version);
  put("schema_version", engine.schema_version);
  put("schema_latest", engine.schema_latest);
  put("durable", engine.durable);
  writer.end_object();
}

void write(JsonWriter& writer, const FeedHead& feed) {
  writer.begin_object();
  FieldWriter put(writer);
  put("epoch", feed.epoch);
  put("space_id", feed.space_id);
  put("seq", feed.seq);
  put("trimmed_below", feed.trimmed_below);
  put("queued", feed.queued);
  put("failed", feed.failed);
  put("oldest_queued_at", feed.oldest_queued_at);
  put("newest_queued_at", feed.newest_queued_at);
  put("worker", feed.worker);
  writer.end_object();
}

void write(JsonWriter& writer, const IndexStats& index) {
  writer.begin_object();
  visit_index(index, FieldWriter(writer));
  writer.end_object();
}

void write(JsonWriter& writer, const WebhookStats& stats) {
  writer.begin_object();
  FieldWriter put(writer);
  put("waiting", stats.waiting);
  put("delivered", stats.delivered);
  put("lost", stats.lost);
  put("error", stats.error);
  writer.end_object();
}

}  // namespace

std::string to_json(const Health& health) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("live", health.live);
  put("ready", health.ready);
  put("error", health.error);
  writer.key("engine");
  write(writer, health.engine);
  writer.key("feed");
  write(writer, health.feed);
  put("lag_seconds", health.lag_seconds);
  put("index_on", health.index_on);
  put("space_id", health.space_id);
  put("replica_seq", health.replica_seq);
  put("index_error", health.index_error);
  put("upkeep_error", health.upkeep_error);
  writer.key("webhooks");
  write(writer, health.webhooks);
  writer.key("index");
  write(writer, health.index);
  writer.key("routes").begin_array();
  for (const RouteStats& route : health.routes) write(writer, route);
  writer.end_array();
  return writer.end_object().take();
}

}  // namespace actionhist
