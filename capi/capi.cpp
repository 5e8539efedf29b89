#include "actionhist.h"

#include <new>
#include <string>

#include <actionhist/actionhist.hpp>

struct actionhist_error {
  actionhist_status code;
  std::string message;
};

struct actionhist_history {
  actionhist::History history;
};

namespace {

static_assert(ACTIONHIST_INTERNAL == static_cast<actionhist_status>(actionhist::ErrorCode::internal));

void set_error(actionhist_error** error, actionhist_status code, const char* message) noexcept {
  if (error == nullptr) return;
  *error = new (std::nothrow) actionhist_error{code, {}};
  if (*error == nullptr) return;
  try {
    (*error)->message = message;
  } catch (const std::bad_alloc&) {  // the code alone must do
  }
}

// Runs `work`; no exception leaves.
template <class Work>
actionhist_status guarded(actionhist_error** error, Work&& work) noexcept {
  if (error != nullptr) *error = nullptr;
  try {
    work();
    return ACTIONHIST_OK;
  } catch (const actionhist::Error& caught) {
    const auto code = static_cast<actionhist_status>(caught.code());
    set_error(error, code, caught.what());
    return code;
  } catch (const std::bad_alloc&) {
    set_error(error, ACTIONHIST_UNAVAILABLE, "out of memory");
    return ACTIONHIST_UNAVAILABLE;
  } catch (const std::exception& caught) {
    set_error(error, ACTIONHIST_INTERNAL, caught.what());
    return ACTIONHIST_INTERNAL;
  }
}

}  // namespace

const char* actionhist_version(void) { return actionhist::version(); }

actionhist_status actionhist_error_code(const actionhist_error* error) {
  return error != nullptr ? error->code : ACTIONHIST_OK;
}

const char* actionhist_error_message(const actionhist_error* error) {
  return error != nullptr ? error->message.c_str() : "";
}

void actionhist_error_free(actionhist_error* error) { delete error; }

actionhist_status actionhist_history_open(const char* uri, size_t uri_length, actionhist_history** history,
                                          actionhist_error** error) {
  return guarded(error, [&] {
    if (history == nullptr) {
      throw actionhist::Error(actionhist::ErrorCode::invalid_argument, "history: is NULL");
    }
    *history = nullptr;
    if (uri == nullptr) throw actionhist::Error(actionhist::ErrorCode::invalid_argument, "uri: is NULL");
    *history = new actionhist_history{actionhist::open({uri, uri_length})};
  });
}

void actionhist_history_close(actionhist_history* history) { delete history; }
