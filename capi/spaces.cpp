// What actionhist.h declares of embedding spaces.
#include "operate.hpp"
#include "request.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::capi;

std::function<void(const EmbeddingProgress&)> told(const Progress& progress, const char* operation) {
  if (!progress) return {};
  return [&progress, operation](const EmbeddingProgress& p) { progress(operation, p.done, p.left); };
}

std::string import_vectors(History& history, std::string_view text, std::span<const float> numbers,
                           std::size_t count, std::size_t dimension) {
  Request request(text);
  const std::string space_id = request.required_text("space_id");
  std::vector<std::string> ids;
  request.read("ids", ids);
  request.done();
  if (ids.size() != count) refuse("vectors", fmt::format("are {}, ids are {}", count, ids.size()));
  std::vector<SubjectVector> rows;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    rows.push_back({ids[i], numbers.subspan(i * dimension, dimension)});
  }
  return to_json(history.import_vectors(space_id, rows));
}

}  // namespace

ACTIONHIST_OPERATION(spaces) {
  Request(text).done();
  return array_of(history.spaces());
}

ACTIONHIST_OPERATION(fit_space) {
  Request request(text);
  FitOptions options;
  request.read("dimension", options.dimension);
  request.read("documents", options.documents);
  std::int64_t seed = 1;
  request.read("seed", seed);
  request.done();
  if (seed < 0) refuse("seed", "is negative");
  options.seed = static_cast<std::uint64_t>(seed);
  options.progress = told(handle.progress, "fit_space");
  return to_json(history.fit_space(options));
}

ACTIONHIST_OPERATION(switch_space) {
  Request request(text);
  const std::string space_id = request.text("space_id");
  SwitchOptions options;
  request.read("force", options.force);
  request.done();
  options.progress = told(handle.progress, "switch_space");
  return to_json(history.switch_space(space_id, options));
}

ACTIONHIST_OPERATION(backfill) {
  Request(text).done();
  return std::to_string(history.backfill(told(handle.progress, "backfill")));
}

ACTIONHIST_OPERATION(drop_space) {
  Request request(text);
  const std::string space_id = request.required_text("space_id");
  request.done();
  return flag(history.drop_space(space_id));
}

ACTIONHIST_OPERATION(failed_subjects) { return array_of(history.failed_subjects(limit_of(text))); }

ACTIONHIST_OPERATION(retry_failed) {
  Request request(text);
  std::vector<std::string> ids;
  request.read("ids", ids);
  request.done();
  return std::to_string(history.retry_failed(ids));
}

ACTIONHIST_OPERATION(evaluate) {
  Request request(text);
  EvaluationOptions options;
  request.read("spaces", options.spaces);
  request.read("queries", options.queries);
  request.read("documents", options.documents);
  request.done();
  return to_json(history.evaluate(options));
}

actionhist_status actionhist_history_import_vectors(actionhist_history* history, const char* request,
                                                    size_t request_length, const float* vectors, size_t count,
                                                    size_t dimension, actionhist_text** answer,
                                                    actionhist_error** error) {
  return answered(history, request, request_length, answer, error, [=](History& open, std::string_view text) {
    return import_vectors(open, text, matrix(vectors, count, dimension), count, dimension);
  });
}
