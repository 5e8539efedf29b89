#include <actionhist/similar.hpp>

#include "core/json_fields.hpp"

namespace actionhist {

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

}  // namespace actionhist
