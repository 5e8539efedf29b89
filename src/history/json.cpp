#include <actionhist/history.hpp>

#include "core/index_fields.hpp"
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

Aspects parse_aspects(std::string_view json) {
  JsonDocument document;
  FieldReader reader(document.parse(json, "weights"), "weights", "weights.");
  Aspects aspects;
  reader("context", aspects.context);
  reader("action", aspects.action);
  reader("outcome", aspects.outcome);
  reader.expect_done();
  return aspects;
}

std::string to_json(const Hit& hit) {
  JsonWriter writer;
  FieldWriter put(writer);
  writer.begin_object();
  put("score", hit.score);
  writer.key("explain").begin_object();
  put("route", hit.explain.route);
  put("fallback", hit.explain.fallback);
  put("similarity", hit.explain.similarity);
  put("bm25", hit.explain.bm25);
  put("matched_terms", hit.explain.matched_terms);
  put("space_id", hit.explain.space_id);
  put("seq", hit.explain.seq);
  put("feed_seq", hit.explain.feed_seq);
  if (const auto& aspects = hit.explain.aspects) {
    writer.key("aspects").begin_object();
    put("context", aspects->context);
    put("action", aspects->action);
    put("outcome", aspects->outcome);
    writer.end_object();
  }
  writer.end_object();
  writer.key("trace").raw(to_json(hit.trace));
  return writer.end_object().take();
}

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
