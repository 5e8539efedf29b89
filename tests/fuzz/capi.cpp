// Feeds arbitrary bytes to every operation of the C ABI, and to what opens something as its settings. Each must answer,
// or fail with an error that says why.
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
  actionhist_index* index = nullptr;
  actionhist_index_create(text, size, &index, nullptr);
  actionhist_index_free(index);
}

void check(actionhist_status status, actionhist_text* answer, actionhist_error* error) {
  expect((status == ACTIONHIST_OK) == (answer != nullptr));
  expect((status == ACTIONHIST_OK) == (error == nullptr));
  expect(status != ACTIONHIST_INTERNAL && status != ACTIONHIST_CORRUPT);
  if (error != nullptr) expect(*actionhist_error_message(error) != '\0');
  actionhist_text_free(answer);
  actionhist_error_free(error);
}

// What takes floats beside its request.
void use_vectors(actionhist_history* history, const char* text, std::size_t size) {
  constexpr float vectors[] = {1, 0, 0, 1};
  actionhist_text* answer = nullptr;
  actionhist_error* error = nullptr;
  auto status = actionhist_history_similar_to(history, text, size, vectors, 4, &answer, &error);
  check(status, answer, error);
  for (const std::size_t count : {0, 1, 2}) {
    status = actionhist_history_import_vectors(history, text, size, vectors, count, 2, &answer, &error);
    check(status, answer, error);
  }
}

// Of a server that is not there. Listing and making months would only wait for it.
void use_months(const char* text, std::size_t size) {
  static actionhist_months* const months = [] {
    constexpr char uri[] = "postgresql://nobody@/none?host=/nowhere";
    constexpr char settings[] = R"({"postgres":{"retry_for_ms":0}})";
    actionhist_options options = ACTIONHIST_OPTIONS_INIT;
    options.settings = {settings, sizeof settings - 1};
    actionhist_months* made = nullptr;
    expect(actionhist_months_open(uri, sizeof uri - 1, &options, &made, nullptr) == ACTIONHIST_OK);
    return made;
  }();
  actionhist_text* answer = nullptr;
  actionhist_error* error = nullptr;
  for (actionhist_months_operation* const operation :
       {actionhist_months_detach, actionhist_months_archive, actionhist_months_restore}) {
    const auto status = operation(months, text, size, &answer, &error);
    check(status, answer, error);
  }
}

// All that an index offers but to save it, for that writes where the bytes say.
void use_index(const char* text, std::size_t size) {
  static actionhist_index* const index = [] {
    constexpr char options[] = R"({"dimension":2})";
    actionhist_index* made = nullptr;
    expect(actionhist_index_create(options, sizeof options - 1, &made, nullptr) == ACTIONHIST_OK);
    return made;
  }();
  constexpr float vectors[] = {1, 0, 0, 1};
  actionhist_text* answer = nullptr;
  actionhist_error* error = nullptr;
  for (actionhist_index_vectors* const operation :
       {actionhist_index_put, actionhist_index_set_vector, actionhist_index_search,
        actionhist_index_search_many, actionhist_index_explain}) {
    for (const std::size_t count : {0, 1, 2}) {
      const auto status = operation(index, text, size, vectors, count, 2, &answer, &error);
      check(status, answer, error);
    }
  }
  for (actionhist_index_operation* const operation : {actionhist_index_set_fields, actionhist_index_remove,
                                                      actionhist_index_version, actionhist_index_stats}) {
    const auto status = operation(index, text, size, &answer, &error);
    check(status, answer, error);
  }
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
    check(status, answer, error);
  }
  if (inputs % 16 == 0) open_with_settings(text, size);
  if (inputs % 4 == 0) {
    use_vectors(history, text, size);
    use_index(text, size);
    use_months(text, size);
  }
  return 0;
}
