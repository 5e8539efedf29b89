// What actionhist.h declares of reading and searching.
#include "operate.hpp"
#include "request.hpp"

using namespace actionhist;
using namespace actionhist::capi;

namespace {

SimilarQuery read_similar(std::string_view text) {
  Request request(text);
  SimilarQuery query = request.similar();
  request.done();
  return query;
}

}  // namespace

ACTIONHIST_OPERATION(get) {
  Request request(text);
  const std::string action_id = request.required_text("action_id");
  request.done();
  const auto trace = history.get(action_id);
  return trace ? to_json(*trace) : std::string(null);
}

ACTIONHIST_OPERATION(find) {
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

ACTIONHIST_OPERATION(similar) { return array_of(history.similar(read_similar(text))); }

actionhist_status actionhist_history_similar_to(actionhist_history* history, const char* request,
                                                size_t request_length, const float* vector, size_t dimension,
                                                actionhist_text** answer, actionhist_error** error) {
  return answered(history, request, request_length, answer, error, [=](History& open, std::string_view text) {
    const auto floats = matrix(vector, 1, dimension);
    SimilarQuery query = read_similar(text);
    if (!query.vector.empty()) refuse("vector", "is given twice");
    query.vector.assign(floats.begin(), floats.end());
    return array_of(open.similar(query));
  });
}

ACTIONHIST_OPERATION(detect) {
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

ACTIONHIST_OPERATION(recommend) { return to_json(history.recommend(parse_recommend_query(text))); }

ACTIONHIST_OPERATION(context) { return to_json(history.context(parse_context_query(text))); }

ACTIONHIST_OPERATION(summaries) {
  Request request(text);
  const auto changed_since = request.time("changed_since");
  int limit = 1000;
  request.read("limit", limit);
  request.done();
  return array_of(history.summaries(changed_since, limit));
}

ACTIONHIST_OPERATION(wait_indexed) {
  Request request(text);
  std::int64_t timeout_ms = 30'000;
  request.read("timeout_ms", timeout_ms);
  request.done();
  if (timeout_ms < 0) refuse("timeout_ms", "is negative");
  return flag(history.wait_indexed(std::chrono::milliseconds(timeout_ms)));
}
