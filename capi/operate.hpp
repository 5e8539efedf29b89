// How a function of the C interface runs on the History behind its handle.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "handle.hpp"

namespace actionhist::capi {

// Runs `work` on the open History and hands over its answer.
template <class Work>
actionhist_status answered(actionhist_history* history, const char* request, size_t request_length,
                           actionhist_text** answer, actionhist_error** error, Work&& work) {
  return answering(answer, error, [&] {
    if (history == nullptr) refuse("history", "is NULL");
    const auto open = history->acquire();
    return work(*open, text_of(request, request_length, "request"));
  });
}

}  // namespace actionhist::capi

// Begins the definition of actionhist_history_NAME. Its body answers the request `text` with the open `history`;
// `handle` has the host's callbacks.
#define ACTIONHIST_OPERATION(name)                                                                  \
  static std::string name##_answer(const actionhist_history& handle, actionhist::History& history,  \
                                   std::string_view text);                                          \
  actionhist_status actionhist_history_##name(actionhist_history* history, const char* request,     \
                                              size_t request_length, actionhist_text** answer,      \
                                              actionhist_error** error) {                           \
    return actionhist::capi::answered(history, request, request_length, answer, error,              \
                                      [history](actionhist::History& open, std::string_view text) { \
                                        return name##_answer(*history, open, text);                 \
                                      });                                                           \
  }                                                                                                 \
  static std::string name##_answer([[maybe_unused]] const actionhist_history& handle,               \
                                   actionhist::History& history, std::string_view text)
