// How a function of the C interface runs on the History behind its handle.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "handle.hpp"

namespace actionhist::capi {

using Operation = std::string (*)(History&, std::string_view);

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

template <Operation operation>
actionhist_status operate(actionhist_history* history, const char* request, size_t request_length,
                          actionhist_text** answer, actionhist_error** error) {
  return answered(history, request, request_length, answer, error, operation);
}

}  // namespace actionhist::capi
