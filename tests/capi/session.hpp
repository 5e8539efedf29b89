// A history through the C ABI as C++ tests like it: calls give text, failures are recorded.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <actionhist.h>

namespace actionhist::test {

struct Answer {
  actionhist_status status = ACTIONHIST_OK;
  std::string text;   // of the answer
  std::string error;  // of the error

  bool holds(std::string_view part) const { return text.find(part) != text.npos; }
};

inline Answer take(actionhist_status status, actionhist_text* text, actionhist_error* error) {
  Answer answer{
      status, {actionhist_text_data(text), actionhist_text_length(text)}, actionhist_error_message(error)};
  actionhist_text_free(text);
  actionhist_error_free(error);
  return answer;
}

class Session {
 public:
  explicit Session(std::string_view uri = "memory:", const actionhist_options* options = nullptr) {
    actionhist_error* error = nullptr;
    if (actionhist_history_open(uri.data(), uri.size(), options, &history_, &error) != ACTIONHIST_OK) {
      const std::string message = actionhist_error_message(error);
      actionhist_error_free(error);
      throw std::runtime_error(message);
    }
  }
  ~Session() { actionhist_history_free(history_); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Answer operator()(actionhist_operation* operation, std::string_view request = {}) const {
    actionhist_text* text = nullptr;
    actionhist_error* error = nullptr;
    const auto status = operation(history_, request.data(), request.size(), &text, &error);
    return take(status, text, error);
  }

  actionhist_history* get() const { return history_; }

 private:
  actionhist_history* history_ = nullptr;
};

inline actionhist_string string_of(std::string_view text) { return {text.data(), text.size()}; }

// 2026-03-10T12:00:00Z.
inline constexpr std::int64_t noon_us = 1'773'144'000'000'000;

inline actionhist_options options_at_noon() {
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.clock = [](void*) { return noon_us; };
  return options;
}

}  // namespace actionhist::test
