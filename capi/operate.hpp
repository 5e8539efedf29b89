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
  if (answer != nullptr) *answer = nullptr;
  return guarded(error, [&] {
    if (history == nullptr) refuse("history", "is NULL");
    const auto open = history->acquire();
    // Made first, so that nothing is stored that could not be answered.
    auto text = std::make_unique<actionhist_text>();
    text->text = work(*open, text_of(request, request_length, "request"));
    if (answer != nullptr) *answer = text.release();
  });
}

template <Operation operation>
actionhist_status operate(actionhist_history* history, const char* request, size_t request_length,
                          actionhist_text** answer, actionhist_error** error) {
  return answered(history, request, request_length, answer, error, operation);
}

}  // namespace actionhist::capi
