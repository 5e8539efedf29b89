#include "guarded.hpp"

#include <actionhist/version.hpp>

namespace actionhist::capi {

void set_error(actionhist_error** error, actionhist_status code, const char* message) noexcept {
  if (error == nullptr) return;
  *error = new (std::nothrow) actionhist_error{code, {}};
  if (*error == nullptr) return;
  try {
    (*error)->message = message;
  } catch (const std::bad_alloc&) {  // the code alone must do
  }
}

}  // namespace actionhist::capi

const char* actionhist_version(void) { return actionhist::version(); }

int32_t actionhist_abi_version(void) { return ACTIONHIST_ABI_VERSION; }

const char* actionhist_status_name(actionhist_status status) {
  if (status == ACTIONHIST_OK) return "ok";
  // The names are literals, so they end with NUL.
  return actionhist::to_string(static_cast<actionhist::ErrorCode>(status)).data();
}

actionhist_status actionhist_error_code(const actionhist_error* error) {
  return error != nullptr ? error->code : ACTIONHIST_OK;
}

const char* actionhist_error_message(const actionhist_error* error) {
  return error != nullptr ? error->message.c_str() : "";
}

void actionhist_error_free(actionhist_error* error) { delete error; }

const char* actionhist_text_data(const actionhist_text* text) {
  return text != nullptr ? text->text.c_str() : "";
}

size_t actionhist_text_length(const actionhist_text* text) { return text != nullptr ? text->text.size() : 0; }

void actionhist_text_free(actionhist_text* text) { delete text; }
