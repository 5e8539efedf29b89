/* What the Go package adds to the C interface: opening with callbacks, and calling an operation by pointer. */
#ifndef ACTIONHIST_GO_CALLBACKS_H
#define ACTIONHIST_GO_CALLBACKS_H

#include <actionhist.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct actionhist_go_wants {
  bool log;
  bool clock;
  bool refused;
  bool progress;
  bool detected;
  bool model;
  const char* space_id;
  size_t space_id_length;
  size_t dimension;
} actionhist_go_wants;

/* `host` is the number of a cgo.Handle, deleted when the history ends or cannot be opened. */
actionhist_status actionhist_go_open(const char* uri, size_t uri_length, const char* settings,
                                     size_t settings_length, uintptr_t host, const actionhist_go_wants* wants,
                                     actionhist_history** history, actionhist_error** error);

actionhist_status actionhist_go_open_months(const char* uri, size_t uri_length, const char* settings,
                                            size_t settings_length, uintptr_t host, bool progress,
                                            actionhist_months** months, actionhist_error** error);

actionhist_status actionhist_go_run(actionhist_operation* operation, actionhist_history* history,
                                    const char* request, size_t request_length, actionhist_text** answer,
                                    actionhist_error** error);

actionhist_status actionhist_go_months_run(actionhist_months_operation* operation, actionhist_months* months,
                                           const char* request, size_t request_length,
                                           actionhist_text** answer, actionhist_error** error);

actionhist_status actionhist_go_index_run(actionhist_index_operation* operation, actionhist_index* index,
                                          const char* request, size_t request_length,
                                          actionhist_text** answer, actionhist_error** error);

actionhist_status actionhist_go_index_vectors_run(actionhist_index_vectors* operation,
                                                  actionhist_index* index, const char* request,
                                                  size_t request_length, const float* vectors, size_t count,
                                                  size_t dimension, actionhist_text** answer,
                                                  actionhist_error** error);

#endif
