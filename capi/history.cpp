// What actionhist.h declares of a history. Nothing is decided here.
#include "operate.hpp"
#include "operations.hpp"
#include "options.hpp"

using namespace actionhist;
using namespace actionhist::capi;

actionhist_status actionhist_history_open(const char* uri, size_t uri_length,
                                          const actionhist_options* options, actionhist_history** history,
                                          actionhist_error** error) {
  if (history != nullptr) *history = nullptr;
  return guarded(error, [&] {
    HostOptions host = read_options(options);
    if (history == nullptr) refuse("history", "is NULL");
    if (uri == nullptr) refuse("uri", "is NULL");
    *history = new actionhist_history(actionhist::open({uri, uri_length}, std::move(host.options)),
                                      std::move(host.refused), std::move(host.progress), host.submit_threads);
  });
}

void actionhist_history_close(actionhist_history* history) {
  if (history != nullptr) history->close();
}

void actionhist_history_free(actionhist_history* history) {
  if (history != nullptr && !history->inherited()) delete history;
}

actionhist_status actionhist_history_propose(actionhist_history* history, const char* request,
                                             size_t request_length, actionhist_text** answer,
                                             actionhist_error** error) {
  return answered(history, request, request_length, answer, error,
                  [history](History& open, std::string_view action) {
                    const Verdict verdict = open.propose(parse_action(action));
                    std::string text = to_json(verdict);
                    if (!verdict.allowed() && history->refused) history->refused(text);
                    return text;
                  });
}

actionhist_status actionhist_history_similar_to(actionhist_history* history, const char* request,
                                                size_t request_length, const float* vector, size_t dimension,
                                                actionhist_text** answer, actionhist_error** error) {
  return answered(history, request, request_length, answer, error,
                  [=](History& open, std::string_view query) {
                    const auto floats = matrix(vector, 1, dimension);
                    return similar(open, query, {floats.begin(), floats.end()});
                  });
}

actionhist_status actionhist_history_submit(actionhist_history* history, actionhist_operation* operation,
                                            const char* request, size_t request_length, actionhist_done done,
                                            void* user_data, actionhist_error** error) {
  return guarded(error, [&] {
    if (history == nullptr) refuse("history", "is NULL");
    if (operation == nullptr) refuse("operation", "is NULL");
    if (done == nullptr) refuse("done", "is NULL");
    const std::string text(text_of(request, request_length, "request"));
    history->submit([=](bool cancelled) {
      actionhist_text* answer = nullptr;
      actionhist_error* failure = nullptr;
      actionhist_status status = ACTIONHIST_CANCELLED;
      if (cancelled) {
        set_error(&failure, status, actionhist_history::closed_before);
      } else {
        status = operation(history, text.data(), text.size(), &answer, &failure);
      }
      done(user_data, status, answer, failure);
    });
  });
}

actionhist_status actionhist_history_record(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<record>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_record_many(actionhist_history* history, const char* request,
                                                 size_t request_length, actionhist_text** answer,
                                                 actionhist_error** error) {
  return operate<record_many>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_check(actionhist_history* history, const char* request,
                                           size_t request_length, actionhist_text** answer,
                                           actionhist_error** error) {
  return operate<check>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_start(actionhist_history* history, const char* request,
                                           size_t request_length, actionhist_text** answer,
                                           actionhist_error** error) {
  return operate<start>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_complete(actionhist_history* history, const char* request,
                                              size_t request_length, actionhist_text** answer,
                                              actionhist_error** error) {
  return operate<complete>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_assess(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<assess>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_observe(actionhist_history* history, const char* request,
                                             size_t request_length, actionhist_text** answer,
                                             actionhist_error** error) {
  return operate<observe>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_link(actionhist_history* history, const char* request,
                                          size_t request_length, actionhist_text** answer,
                                          actionhist_error** error) {
  return operate<link>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_erase(actionhist_history* history, const char* request,
                                           size_t request_length, actionhist_text** answer,
                                           actionhist_error** error) {
  return operate<erase>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_resource_seen(actionhist_history* history, const char* request,
                                                   size_t request_length, actionhist_text** answer,
                                                   actionhist_error** error) {
  return operate<resource_seen>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_resource_deleted(actionhist_history* history, const char* request,
                                                      size_t request_length, actionhist_text** answer,
                                                      actionhist_error** error) {
  return operate<resource_deleted>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_get(actionhist_history* history, const char* request,
                                         size_t request_length, actionhist_text** answer,
                                         actionhist_error** error) {
  return operate<get>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_find(actionhist_history* history, const char* request,
                                          size_t request_length, actionhist_text** answer,
                                          actionhist_error** error) {
  return operate<find>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_similar(actionhist_history* history, const char* request,
                                             size_t request_length, actionhist_text** answer,
                                             actionhist_error** error) {
  return operate<similar>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_detect(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<detect>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_recommend(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error) {
  return operate<recommend>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_context(actionhist_history* history, const char* request,
                                             size_t request_length, actionhist_text** answer,
                                             actionhist_error** error) {
  return operate<context>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_metrics(actionhist_history* history, const char* request,
                                             size_t request_length, actionhist_text** answer,
                                             actionhist_error** error) {
  return operate<metrics>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_refresh_metrics(actionhist_history* history, const char* request,
                                                     size_t request_length, actionhist_text** answer,
                                                     actionhist_error** error) {
  return operate<refresh_metrics>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_lease_assessments(actionhist_history* history, const char* request,
                                                       size_t request_length, actionhist_text** answer,
                                                       actionhist_error** error) {
  return operate<lease_assessments>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_summaries(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error) {
  return operate<summaries>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_wait_indexed(actionhist_history* history, const char* request,
                                                  size_t request_length, actionhist_text** answer,
                                                  actionhist_error** error) {
  return operate<wait_indexed>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_retention_policy(actionhist_history* history, const char* request,
                                                      size_t request_length, actionhist_text** answer,
                                                      actionhist_error** error) {
  return operate<retention_policy>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_retention_policies(actionhist_history* history, const char* request,
                                                        size_t request_length, actionhist_text** answer,
                                                        actionhist_error** error) {
  return operate<retention_policies>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_set_retention_policy(actionhist_history* history, const char* request,
                                                          size_t request_length, actionhist_text** answer,
                                                          actionhist_error** error) {
  return operate<set_retention_policy>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_retention_plan(actionhist_history* history, const char* request,
                                                    size_t request_length, actionhist_text** answer,
                                                    actionhist_error** error) {
  return operate<retention_plan>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_apply_retention(actionhist_history* history, const char* request,
                                                     size_t request_length, actionhist_text** answer,
                                                     actionhist_error** error) {
  return answered(history, request, request_length, answer, error,
                  [history](History& open, std::string_view text) {
                    return apply_retention(open, text, history->progress);
                  });
}

actionhist_status actionhist_history_retention_operations(actionhist_history* history, const char* request,
                                                          size_t request_length, actionhist_text** answer,
                                                          actionhist_error** error) {
  return operate<retention_operations>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_compacted(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error) {
  return operate<compacted>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_override(actionhist_history* history, const char* request,
                                              size_t request_length, actionhist_text** answer,
                                              actionhist_error** error) {
  return operate<let_pass>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_resolve(actionhist_history* history, const char* request,
                                             size_t request_length, actionhist_text** answer,
                                             actionhist_error** error) {
  return operate<resolve>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_settle(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<settle>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_anomalies(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error) {
  return operate<anomalies>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_clusters(actionhist_history* history, const char* request,
                                              size_t request_length, actionhist_text** answer,
                                              actionhist_error** error) {
  return operate<clusters>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_duplicates(actionhist_history* history, const char* request,
                                                size_t request_length, actionhist_text** answer,
                                                actionhist_error** error) {
  return operate<duplicates>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_projection(actionhist_history* history, const char* request,
                                                size_t request_length, actionhist_text** answer,
                                                actionhist_error** error) {
  return operate<projection>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_analyse(actionhist_history* history, const char* request,
                                             size_t request_length, actionhist_text** answer,
                                             actionhist_error** error) {
  return operate<analyse>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_upkeep(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<upkeep>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_detection(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error) {
  return operate<detection>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_detections(actionhist_history* history, const char* request,
                                                size_t request_length, actionhist_text** answer,
                                                actionhist_error** error) {
  return operate<detections>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_overrides(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error) {
  return operate<overrides>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_guard_policy(actionhist_history* history, const char* request,
                                                  size_t request_length, actionhist_text** answer,
                                                  actionhist_error** error) {
  return operate<guard_policy>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_set_guard_policy(actionhist_history* history, const char* request,
                                                      size_t request_length, actionhist_text** answer,
                                                      actionhist_error** error) {
  return operate<set_guard_policy>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_remove_pattern(actionhist_history* history, const char* request,
                                                    size_t request_length, actionhist_text** answer,
                                                    actionhist_error** error) {
  return operate<remove_pattern>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_patterns(actionhist_history* history, const char* request,
                                              size_t request_length, actionhist_text** answer,
                                              actionhist_error** error) {
  return operate<patterns>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_put_pattern(actionhist_history* history, const char* request,
                                                 size_t request_length, actionhist_text** answer,
                                                 actionhist_error** error) {
  return operate<put_pattern>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_health(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<health>(history, request, request_length, answer, error);
}

actionhist_status actionhist_history_verify(actionhist_history* history, const char* request,
                                            size_t request_length, actionhist_text** answer,
                                            actionhist_error** error) {
  return operate<verify>(history, request, request_length, answer, error);
}
