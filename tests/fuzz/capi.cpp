// Feeds arbitrary bytes to every operation of the C ABI, and to open as its settings. Each must answer, or fail
// with an error that says why.
#include <cstdint>
#include <cstdlib>
#include <iterator>

#include <actionhist.h>

namespace {

actionhist_operation* const operations[] = {actionhist_history_record,
                                            actionhist_history_record_many,
                                            actionhist_history_propose,
                                            actionhist_history_check,
                                            actionhist_history_start,
                                            actionhist_history_complete,
                                            actionhist_history_assess,
                                            actionhist_history_observe,
                                            actionhist_history_link,
                                            actionhist_history_erase,
                                            actionhist_history_resource_seen,
                                            actionhist_history_resource_deleted,
                                            actionhist_history_get,
                                            actionhist_history_find,
                                            actionhist_history_similar,
                                            actionhist_history_detect,
                                            actionhist_history_summaries,
                                            actionhist_history_patterns,
                                            actionhist_history_put_pattern,
                                            actionhist_history_health,
                                            actionhist_history_verify,
                                            actionhist_history_recommend,
                                            actionhist_history_retention_policy,
                                            actionhist_history_retention_policies,
                                            actionhist_history_set_retention_policy,
                                            actionhist_history_retention_plan,
                                            actionhist_history_apply_retention,
                                            actionhist_history_retention_operations,
                                            actionhist_history_compacted,
                                            actionhist_history_override,
                                            actionhist_history_resolve,
                                            actionhist_history_settle,
                                            actionhist_history_detection,
                                            actionhist_history_detections,
                                            actionhist_history_overrides,
                                            actionhist_history_guard_policy,
                                            actionhist_history_set_guard_policy,
                                            actionhist_history_remove_pattern,
                                            actionhist_history_context,
                                            actionhist_history_metrics,
                                            actionhist_history_refresh_metrics,
                                            actionhist_history_lease_assessments};

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
  for (actionhist_operation* const operation : operations) {
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
