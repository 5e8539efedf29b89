// Wrong calls get a clear error and store nothing; they never crash.
#include <catch2/catch.hpp>

#include <fstream>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "capi/every_operation.hpp"
#include "capi/session.hpp"

using namespace actionhist::test;

namespace {

// The status of an open that must fail, and its message.
Answer open_with(const actionhist_options* options, std::string_view uri = "memory:") {
  actionhist_history* history = nullptr;
  actionhist_error* error = nullptr;
  const auto status = actionhist_history_open(uri.data(), uri.size(), options, &history, &error);
  CHECK(history == nullptr);
  actionhist_history_free(history);
  return take(status, nullptr, error);
}

Answer open_with_settings(std::string_view settings) {
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = string_of(settings);
  return open_with(&options);
}

}  // namespace

TEST_CASE("C ABI misuse: every operation that is exported is tried here") {
  const std::set<std::string> others{"open", "close", "free", "submit", "similar_to", "import_vectors"};
  const std::string prefix = "actionhist_history_";
  std::ifstream exports(ACTIONHIST_EXPORTS);
  std::size_t count = 0;
  for (std::string symbol; exports >> symbol;) {
    if (symbol.compare(0, prefix.size(), prefix) != 0) continue;
    const std::string name = symbol.substr(prefix.size());
    INFO(name);
    CHECK(operations().count(name) + others.count(name) == 1);
    ++count;
  }
  CHECK(count == operations().size() + others.size());
}

TEST_CASE("C ABI misuse: NULL in every place is refused by name") {
  actionhist_error* error = nullptr;
  actionhist_history* history = nullptr;
  CHECK(actionhist_history_open(nullptr, 0, nullptr, &history, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_history_open("memory:", 7, nullptr, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);

  for (const auto& [name, operation] : operations()) {
    actionhist_text* text = nullptr;
    const auto status = operation(nullptr, nullptr, 0, &text, &error);
    const Answer answer = take(status, text, error);
    CHECK(answer.status == ACTIONHIST_INVALID_ARGUMENT);
    INFO(name);
    CHECK(answer.error == "history: is NULL");
  }
  const Session h;
  for (const auto& [name, operation] : operations()) {
    INFO(name);
    CHECK(operation(h.get(), nullptr, 5, nullptr, nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  }
  // Neither answer nor error is wanted.
  CHECK(actionhist_history_health(h.get(), nullptr, 0, nullptr, nullptr) == ACTIONHIST_OK);

  const auto done = [](void*, actionhist_status, actionhist_text*, actionhist_error*) {};
  CHECK(actionhist_history_submit(nullptr, actionhist_history_health, nullptr, 0, done, nullptr, nullptr) ==
        ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_history_submit(h.get(), nullptr, nullptr, 0, done, nullptr, nullptr) ==
        ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_history_submit(h.get(), actionhist_history_health, nullptr, 0, nullptr, nullptr,
                                  nullptr) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(actionhist_history_similar_to(h.get(), nullptr, 0, nullptr, 4, nullptr, nullptr) ==
        ACTIONHIST_INVALID_ARGUMENT);

  CHECK(actionhist_error_code(nullptr) == ACTIONHIST_OK);
  CHECK(std::string(actionhist_error_message(nullptr)).empty());
  CHECK(std::string(actionhist_text_data(nullptr)).empty());
  CHECK(actionhist_text_length(nullptr) == 0);
  actionhist_text_free(nullptr);
  actionhist_error_free(nullptr);
  actionhist_history_free(nullptr);
}

TEST_CASE("C ABI misuse: a closed history refuses every call, and may be closed again") {
  const Session h;
  actionhist_history_close(h.get());
  actionhist_history_close(h.get());
  for (const auto& [name, operation] : operations()) {
    const Answer answer = h(operation, "{}");
    INFO(name);
    CHECK(answer.status == ACTIONHIST_INVALID_ARGUMENT);
    CHECK(answer.error == "history: is closed");
  }
  const auto done = [](void*, actionhist_status, actionhist_text*, actionhist_error*) {};
  CHECK(actionhist_history_submit(h.get(), actionhist_history_health, nullptr, 0, done, nullptr, nullptr) ==
        ACTIONHIST_INVALID_ARGUMENT);
}

TEST_CASE("C ABI misuse: what is no JSON, or no object, is refused and nothing is stored") {
  const Session h;
  const std::string with_nul("{\"action_id\":\"a\0b\"}", 19);
  for (const auto& [name, operation] : operations()) {
    for (const std::string& bad :
         {std::string("{"), std::string("nonsense"), std::string("7"), std::string("\xff\xfe"),
          std::string(R"({"action_id":1})"), std::string(5000, '['), with_nul}) {
      const Answer answer = h(operation, bad);
      INFO(name << " " << bad);
      CHECK(answer.status == ACTIONHIST_INVALID_ARGUMENT);
      CHECK_FALSE(answer.error.empty());
      CHECK(answer.text.empty());
    }
  }
  CHECK(h(actionhist_history_find).text == R"({"traces":[]})");
}

TEST_CASE("C ABI misuse: a member that is missing, unknown or of the wrong type is named") {
  const Session h;
  CHECK(h(actionhist_history_get, "{}").error == "action_id: is required");
  CHECK(h(actionhist_history_find, R"({"limt":1})").error.find("limt") != std::string::npos);
  CHECK(h(actionhist_history_find, R"({"limit":"many"})").error.find("limit") != std::string::npos);
  CHECK(h(actionhist_history_find, R"({"limit":0})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(h(actionhist_history_find, R"({"limit":1e300})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(h(actionhist_history_find, R"({"resource":{"colour":"red"}})").error.find("resource.colour") !=
        std::string::npos);
  CHECK(h(actionhist_history_detect, R"({"session_id":"s","window_minutes":-1})").status ==
        ACTIONHIST_INVALID_ARGUMENT);
  CHECK(h(actionhist_history_similar, R"({"vector":[1,"x"]})").error == "vector[1]: must be a number");
  CHECK(h(actionhist_history_wait_indexed, R"({"timeout_ms":-1})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(h(actionhist_history_wait_indexed, R"({"timeout_ms":9e15})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(h(actionhist_history_record_many, "{}").error == "request: must be an array of actions");
}

TEST_CASE("C ABI misuse: vectors that are too short, too long or no numbers are refused") {
  const Session h;
  REQUIRE(h(actionhist_history_wait_indexed).text == "true");
  const auto status_of = [&](const std::vector<float>& vector) {
    return actionhist_history_similar_to(h.get(), nullptr, 0, vector.data(), vector.size(), nullptr, nullptr);
  };
  CHECK(status_of(std::vector<float>(1023, 1)) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(status_of(std::vector<float>(1025, 1)) == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(status_of(std::vector<float>(1024, std::numeric_limits<float>::quiet_NaN())) ==
        ACTIONHIST_INVALID_ARGUMENT);
  const float one = 1;
  CHECK(actionhist_history_similar_to(h.get(), nullptr, 0, &one, SIZE_MAX, nullptr, nullptr) ==
        ACTIONHIST_INVALID_ARGUMENT);
}

TEST_CASE("C ABI misuse: options that were not initialised, or come from a later version, are refused") {
  actionhist_options zeros{};
  CHECK(open_with(&zeros).error.find("_INIT") != std::string::npos);
  zeros.size = SIZE_MAX;
  CHECK(open_with(&zeros).status == ACTIONHIST_INVALID_ARGUMENT);

  struct Later {
    actionhist_options known = ACTIONHIST_OPTIONS_INIT;
    void* more = nullptr;
  } later;
  later.known.size = sizeof later;
  actionhist_history* history = nullptr;
  REQUIRE(actionhist_history_open("memory:", 7, &later.known, &history, nullptr) == ACTIONHIST_OK);
  actionhist_history_free(history);
  later.more = &later;
  CHECK(open_with(&later.known).status == ACTIONHIST_UNSUPPORTED);
}

TEST_CASE("C ABI misuse: settings are checked by name") {
  CHECK(open_with_settings("[]").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(open_with_settings(R"({"tennant":"x"})").error.find("tennant") != std::string::npos);
  CHECK(open_with_settings(R"({"on_unavailable":"maybe"})").error.find("deny, allow") != std::string::npos);
  CHECK(open_with_settings(R"({"redact":["("]})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(open_with_settings(R"({"submit_threads":0})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(open_with_settings(R"({"tenant":""})").status == ACTIONHIST_INVALID_ARGUMENT);
  CHECK(open_with_settings(R"({"busy_timeout_ms":"x"})").status == ACTIONHIST_INVALID_ARGUMENT);
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = string_of(R"({"tenant":null,"index_folder":null,"model":null})");
  const Session h("memory:", &options);
  CHECK(h(actionhist_history_health).status == ACTIONHIST_OK);
}
