// What actionhist.h declares of embedding spaces.
#include "operate.hpp"
#include "request.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::capi;

std::string spaces(History& history, std::string_view text) {
  Request(text).done();
  return array_of(history.spaces());
}

std::string fit_space(History& history, std::string_view text) {
  Request request(text);
  FitOptions options;
  request.read("dimension", options.dimension);
  request.read("documents", options.documents);
  std::int64_t seed = 1;
  request.read("seed", seed);
  request.done();
  if (seed < 0) refuse("seed", "is negative");
  options.seed = static_cast<std::uint64_t>(seed);
  return to_json(history.fit_space(options));
}

std::string drop_space(History& history, std::string_view text) {
  Request request(text);
  const std::string space_id = request.required_text("space_id");
  request.done();
  return flag(history.drop_space(space_id));
}

std::string failed_subjects(History& history, std::string_view text) {
  return array_of(history.failed_subjects(limit_of(text)));
}

std::string retry_failed(History& history, std::string_view text) {
  Request request(text);
  std::vector<std::string> ids;
  request.read("ids", ids);
  request.done();
  return std::to_string(history.retry_failed(ids));
}

std::string evaluate(History& history, std::string_view text) {
  Request request(text);
  EvaluationOptions options;
  request.read("spaces", options.spaces);
  request.read("queries", options.queries);
  request.read("documents", options.documents);
  request.done();
  return to_json(history.evaluate(options));
}

std::function<void(const EmbeddingProgress&)> told(const Progress& progress, const char* operation) {
  if (!progress) return {};
  return [&progress, operation](const EmbeddingProgress& p) { progress(operation, p.done, p.left); };
}

std::string switch_space(History& history, std::string_view text, const Progress& progress) {
  Request request(text);
  const std::string space_id = request.text("space_id");
  SwitchOptions options;
  request.read("force", options.force);
  request.done();
  options.progress = told(progress, "switch_space");
  return to_json(history.switch_space(space_id, options));
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

actionhist_status actionhist_history_spaces(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<spaces>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_fit_space(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error) {
  return operate<fit_space>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_drop_space(actionhist_history* history, const char* request,
                                                size_t request_length, actionhist_text** answer,
                                                actionhist_error** error) {
  return operate<drop_space>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_failed_subjects(actionhist_history* history, const char* request,
                                                     size_t request_length, actionhist_text** answer,
                                                     actionhist_error** error) {
  return operate<failed_subjects>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_retry_failed(actionhist_history* history, const char* request,
                                                  size_t request_length, actionhist_text** answer,
                                                  actionhist_error** error) {
  return operate<retry_failed>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_evaluate(actionhist_history* history, const char* request,
                                              size_t request_length, actionhist_text** answer,
                                              actionhist_error** error) {
  return operate<evaluate>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_switch_space(actionhist_history* history, const char* request,
                                                  size_t request_length, actionhist_text** answer,
                                                  actionhist_error** error) {
  return answered(history, request, request_length, answer, error,
                  [history](History& open, std::string_view text) {
                    return switch_space(open, text, history->progress);
                  });
}

actionhist_status actionhist_history_backfill(actionhist_history* history, const char* request,
                                              size_t request_length, actionhist_text** answer,
                                              actionhist_error** error) {
  return answered(history, request, request_length, answer, error,
                  [history](History& open, std::string_view text) {
                    Request(text).done();
                    return std::to_string(open.backfill(told(history->progress, "backfill")));
                  });
}

actionhist_status actionhist_history_import_vectors(actionhist_history* history, const char* request,
                                                    size_t request_length, const float* vectors, size_t count,
                                                    size_t dimension, actionhist_text** answer,
                                                    actionhist_error** error) {
  return answered(history, request, request_length, answer, error, [=](History& open, std::string_view text) {
    return import_vectors(open, text, matrix(vectors, count, dimension), count, dimension);
  });
}
