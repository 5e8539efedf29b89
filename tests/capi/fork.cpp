// After fork() the child is told, and the parent goes on.
#include <catch2/catch.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include "capi/inbox.hpp"
#include "capi/session.hpp"
#include "support/postgres_server.hpp"

using namespace actionhist::test;

namespace {

// What the child answers, as the status of its end.
template <class Work>
int in_child(Work work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) _exit(work());
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

TEST_CASE(
    "C ABI misuse: in a child after fork() a history refuses and can be freed, and the parent goes on") {
  const auto options = options_at_noon();
  Session h("memory:", &options);
  REQUIRE(h(actionhist_history_wait_indexed, R"({"timeout_ms":60000})").text == "true");
  CHECK(in_child([&] {
          const auto status = actionhist_history_patterns(h.get(), nullptr, 0, nullptr, nullptr);
          actionhist_history_free(h.get());
          return status;
        }) == ACTIONHIST_UNSUPPORTED);
  CHECK(h(actionhist_history_patterns).status == ACTIONHIST_OK);
}

TEST_CASE("C ABI misuse: in a child after fork() submit refuses, and its threads are left to the parent") {
  const Session h;
  Inbox inbox;
  const auto submit = [&] {
    return actionhist_history_submit(h.get(), actionhist_history_patterns, nullptr, 0, Inbox::done, &inbox,
                                     nullptr);
  };
  REQUIRE(submit() == ACTIONHIST_OK);
  inbox.wait_for(1);
  CHECK(in_child([&] {
          alarm(60);  // a hanging child is a failure, not a hanging test
          const auto status = submit();
          actionhist_history_close(h.get());
          actionhist_history_free(h.get());
          return status;
        }) == ACTIONHIST_UNSUPPORTED);
  REQUIRE(submit() == ACTIONHIST_OK);
  inbox.wait_for(2);
  CHECK(inbox.answers.back().status == ACTIONHIST_OK);
}

TEST_CASE("C ABI misuse: in a child after fork() an index refuses, and the parent goes on") {
  actionhist_index* index = nullptr;
  REQUIRE(actionhist_index_create(R"({"dimension":2})", 15, &index, nullptr) == ACTIONHIST_OK);
  const char rows[] = R"({"rows":[{"id":"a"}]})";
  const float vector[] = {1, 0};
  REQUIRE(actionhist_index_put(index, rows, sizeof rows - 1, vector, 1, 2, nullptr, nullptr) ==
          ACTIONHIST_OK);
  CHECK(in_child([&] {
          return actionhist_index_search(index, nullptr, 0, vector, 1, 2, nullptr, nullptr);
        }) == ACTIONHIST_UNSUPPORTED);
  CHECK(actionhist_index_search(index, nullptr, 0, vector, 1, 2, nullptr, nullptr) == ACTIONHIST_OK);
  actionhist_index_free(index);
}

TEST_CASE("C ABI misuse: in a child after fork() months refuse, and the parent goes on") {
  const std::string uri = fresh_database(shared_server());
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = string_of(R"({"tenant":"t","semantic":false})");
  { const Session made(uri, &options); }
  actionhist_months* months = nullptr;
  REQUIRE(actionhist_months_open(uri.data(), uri.size(), nullptr, &months, nullptr) == ACTIONHIST_OK);
  CHECK(in_child([&] {
          const auto status = actionhist_months_list(months, nullptr, 0, nullptr, nullptr);
          actionhist_months_free(months);
          return status;
        }) == ACTIONHIST_UNSUPPORTED);
  CHECK(actionhist_months_list(months, nullptr, 0, nullptr, nullptr) == ACTIONHIST_OK);
  actionhist_months_free(months);
}
