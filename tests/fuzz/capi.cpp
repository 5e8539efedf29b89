// Feeds arbitrary bytes to every operation of the C ABI, and to open as its settings. Each must answer, or fail
// with an error that says why.
#include <cstdint>
#include <cstdlib>

#include "capi/every_operation.hpp"

namespace {

void expect(bool holds) {
  if (!holds) std::abort();
}

actionhist_history* opened() {
  constexpr char settings[] = R"({"semantic":false})";
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = {settings, sizeof settings - 1};
  actionhist_history* history = nullptr;
  expect(actionhist_history_open("memory:", 7, &options, &history, nullptr) == ACTIONHIST_OK);
  return history;
}

void open_with_settings(const char* text, std::size_t size) {
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = {text, size};
  actionhist_history* history = nullptr;
  actionhist_history_open("memory:", 7, &options, &history, nullptr);
  actionhist_history_free(history);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Kept from input to input, so that ids are found again; anew now and then, so that it stays small.
  static actionhist_history* history = opened();
  static int inputs = 0;
  if (++inputs % 500 == 0) {
    actionhist_history_free(history);
    history = opened();
  }
  const auto* const text = reinterpret_cast<const char*>(data);
  for (const auto& [name, operation] : actionhist::test::operations()) {
    actionhist_text* answer = nullptr;
    actionhist_error* error = nullptr;
    const actionhist_status status = operation(history, text, size, &answer, &error);
    expect((status == ACTIONHIST_OK) == (answer != nullptr));
    expect((status == ACTIONHIST_OK) == (error == nullptr));
    expect(status != ACTIONHIST_INTERNAL && status != ACTIONHIST_CORRUPT);
    if (error != nullptr) expect(*actionhist_error_message(error) != '\0');
    actionhist_text_free(answer);
    actionhist_error_free(error);
  }
  if (inputs % 16 == 0) open_with_settings(text, size);
  return 0;
}
