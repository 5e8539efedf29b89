/* Between the callbacks of the C interface and the exported functions of Go, which know a host by a number. */
#include "callbacks.h"

#include "_cgo_export.h"

static void on_log(void* host, int32_t level, const char* message, size_t length) {
  actionhistLog((uintptr_t)host, level, (char*)message, length);
}

static int64_t on_clock(void* host) { return actionhistClock((uintptr_t)host); }

static void on_refused(void* host, const char* verdict, size_t length) {
  actionhistRefused((uintptr_t)host, (char*)verdict, length);
}

static int32_t on_progress(void* host, const char* operation, int64_t done, int64_t left) {
  return actionhistProgress((uintptr_t)host, (char*)operation, done, left);
}

static void on_detected(void* host, const char* notice, size_t length) {
  actionhistDetected((uintptr_t)host, (char*)notice, length);
}

static actionhist_status on_embed(void* host, const actionhist_string* texts, size_t count, int32_t role,
                                  float* vectors) {
  return actionhistEmbed((uintptr_t)host, (actionhist_string*)texts, count, role, vectors);
}

static void on_destroy(void* host) { actionhistDestroy((uintptr_t)host); }

actionhist_status actionhist_go_open(const char* uri, size_t uri_length, const char* settings,
                                     size_t settings_length, uintptr_t host, const actionhist_go_wants* wants,
                                     actionhist_history** history, actionhist_error** error) {
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  actionhist_model model = ACTIONHIST_MODEL_INIT;
  options.settings.data = settings;
  options.settings.length = settings_length;
  options.user_data = (void*)host;
  options.destroy = on_destroy;
  if (wants->log) options.log = on_log;
  if (wants->clock) options.clock = on_clock;
  if (wants->refused) options.refused = on_refused;
  if (wants->progress) options.progress = on_progress;
  if (wants->detected) options.detected = on_detected;
  if (wants->model) {
    /* The host lives as long as the options. */
    model.space_id.data = wants->space_id;
    model.space_id.length = wants->space_id_length;
    model.dimension = wants->dimension;
    model.embed = on_embed;
    model.user_data = (void*)host;
    options.model = &model;
  }
  return actionhist_history_open(uri, uri_length, &options, history, error);
}

actionhist_status actionhist_go_open_months(const char* uri, size_t uri_length, const char* settings,
                                            size_t settings_length, uintptr_t host, bool progress,
                                            actionhist_months** months, actionhist_error** error) {
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings.data = settings;
  options.settings.length = settings_length;
  options.user_data = (void*)host;
  options.destroy = on_destroy;
  if (progress) options.progress = on_progress;
  return actionhist_months_open(uri, uri_length, &options, months, error);
}

actionhist_status actionhist_go_run(actionhist_operation* operation, actionhist_history* history,
                                    const char* request, size_t request_length, actionhist_text** answer,
                                    actionhist_error** error) {
  return operation(history, request, request_length, answer, error);
}

actionhist_status actionhist_go_months_run(actionhist_months_operation* operation, actionhist_months* months,
                                           const char* request, size_t request_length, actionhist_text** answer,
                                           actionhist_error** error) {
  return operation(months, request, request_length, answer, error);
}

actionhist_status actionhist_go_index_run(actionhist_index_operation* operation, actionhist_index* index,
                                          const char* request, size_t request_length, actionhist_text** answer,
                                          actionhist_error** error) {
  return operation(index, request, request_length, answer, error);
}

actionhist_status actionhist_go_index_vectors_run(actionhist_index_vectors* operation, actionhist_index* index,
                                                  const char* request, size_t request_length,
                                                  const float* vectors, size_t count, size_t dimension,
                                                  actionhist_text** answer, actionhist_error** error) {
  return operation(index, request, request_length, vectors, count, dimension, answer, error);
}
