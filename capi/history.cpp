// What actionhist.h declares of a history itself: its life, what is submitted, its health.
#include "operate.hpp"
#include "options.hpp"
#include "request.hpp"

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

ACTIONHIST_OPERATION(health) {
  Request(text).done();
  return to_json(history.health());
}

ACTIONHIST_OPERATION(verify) {
  Request(text).done();
  JsonWriter writer;
  writer.begin_array();
  for (const std::string& trouble : history.repository().maintenance().verify()) writer.value(trouble);
  return writer.end_array().take();
}
