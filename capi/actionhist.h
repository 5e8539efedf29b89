/* The C ABI of actionhist: opaque handles, text as pointer and length, errors as values.
 *
 * A handle may be used from any thread at once; closing it must be its last use. Every actionhist_*_free and
 * _close does nothing when it is given NULL. Functions return an actionhist_status; on failure, `error`, if
 * it is not NULL, receives an error that the caller frees. */
#ifndef ACTIONHIST_H
#define ACTIONHIST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The values are those of actionhist::ErrorCode and never change. */
typedef int32_t actionhist_status;
enum {
  ACTIONHIST_OK = 0,
  ACTIONHIST_INVALID_ARGUMENT = 1,
  ACTIONHIST_NOT_FOUND = 2,
  ACTIONHIST_CONFLICT = 3,
  ACTIONHIST_DENIED = 4,
  ACTIONHIST_UNAVAILABLE = 5,
  ACTIONHIST_TIMEOUT = 6,
  ACTIONHIST_UNSUPPORTED = 7,
  ACTIONHIST_CORRUPT = 8,
  ACTIONHIST_CANCELLED = 9,
  ACTIONHIST_INTERNAL = 10
};

typedef struct actionhist_error actionhist_error;
typedef struct actionhist_history actionhist_history;

/* "0.1.0", of the library that runs; lives for ever. */
const char* actionhist_version(void);

actionhist_status actionhist_error_code(const actionhist_error* error);

/* One line for people, with no secret in it, ended by NUL; lives as long as `error`. */
const char* actionhist_error_message(const actionhist_error* error);

void actionhist_error_free(actionhist_error* error);

/* Opens `uri` ("memory:", "sqlite:PATH") for the default tenant. On success `*history` is a handle that
 * actionhist_history_close ends; on failure it is NULL. */
actionhist_status actionhist_history_open(const char* uri, size_t uri_length, actionhist_history** history,
                                          actionhist_error** error);

void actionhist_history_close(actionhist_history* history);

#ifdef __cplusplus
}
#endif

#endif
