// Operations that are submitted.
#include <catch2/catch.hpp>

#include <chrono>
#include <future>
#include <string>

#include "capi/inbox.hpp"

using namespace actionhist::test;

TEST_CASE("C ABI: submitted operations answer once each, with what the operation gives") {
  Inbox inbox;
  const Session h;
  constexpr int count = 50;
  for (int i = 0; i < count; ++i) {
    const std::string action = R"({"action_id":"s-)" + std::to_string(i) +
                               R"(","action_timestamp":"2026-03-10T11:00:00Z","action_type":"restart"})";
    REQUIRE(actionhist_history_submit(h.get(), actionhist_history_record, action.data(), action.size(),
                                      Inbox::done, &inbox, nullptr) == ACTIONHIST_OK);
  }
  REQUIRE(actionhist_history_submit(h.get(), actionhist_history_get, nullptr, 0, Inbox::done, &inbox,
                                    nullptr) == ACTIONHIST_OK);
  inbox.wait_for(count + 1);
  int stored = 0;
  int refused = 0;
  for (const Answer& answer : inbox.answers) {
    if (answer.status == ACTIONHIST_OK && answer.holds(R"("stored":true)")) ++stored;
    if (answer.error == "action_id: is required") ++refused;
  }
  CHECK(stored == count);
  CHECK(refused == 1);
}

TEST_CASE("C ABI: closing answers what still waits, and every submission is answered") {
  Inbox inbox;
  int submitted = 0;
  {
    const Session h;
    for (int i = 0; i < 2000; ++i) {
      const auto status = actionhist_history_submit(h.get(), actionhist_history_health, nullptr, 0,
                                                    Inbox::done, &inbox, nullptr);
      if (status == ACTIONHIST_OK) {
        ++submitted;
      } else {
        CHECK(status == ACTIONHIST_UNAVAILABLE);
      }
    }
    actionhist_history_close(h.get());
  }
  CHECK(static_cast<int>(inbox.answers.size()) == submitted);
  for (const Answer& answer : inbox.answers) {
    const bool known = answer.status == ACTIONHIST_OK || answer.status == ACTIONHIST_CANCELLED;
    CHECK(known);
  }
}

TEST_CASE("C ABI: what is submitted behind a slow operation runs beside it") {
  struct Slow {
    std::promise<void> begun;
    std::promise<void> other_answered;
  } slow;
  Inbox inbox;
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = string_of(R"({"semantic":false,"submit_threads":2})");
  const Session h("memory:", &options);
  // The first is under way until the second is answered, or the inbox has long given up.
  const auto linger = [](void* user_data, actionhist_status, actionhist_text* text, actionhist_error*) {
    actionhist_text_free(text);
    auto& first = *static_cast<Slow*>(user_data);
    first.begun.set_value();
    first.other_answered.get_future().wait_for(std::chrono::minutes(3));
  };
  REQUIRE(actionhist_history_submit(h.get(), actionhist_history_patterns, nullptr, 0, linger, &slow,
                                    nullptr) == ACTIONHIST_OK);
  slow.begun.get_future().wait();
  REQUIRE(actionhist_history_submit(h.get(), actionhist_history_patterns, nullptr, 0, Inbox::done, &inbox,
                                    nullptr) == ACTIONHIST_OK);
  inbox.wait_for(1);
  slow.other_answered.set_value();
}

TEST_CASE("C ABI: closing while submissions begin never answers that the history is closed") {
  actionhist_options options = ACTIONHIST_OPTIONS_INIT;
  options.settings = string_of(R"({"semantic":false})");
  for (int round = 0; round < 30; ++round) {
    Inbox inbox;
    int submitted = 0;
    {
      const Session h("memory:", &options);
      for (int i = 0; i < 20; ++i) {
        submitted += actionhist_history_submit(h.get(), actionhist_history_health, nullptr, 0, Inbox::done,
                                               &inbox, nullptr) == ACTIONHIST_OK;
      }
      actionhist_history_close(h.get());
    }
    REQUIRE(static_cast<int>(inbox.answers.size()) == submitted);
    for (const Answer& answer : inbox.answers) {
      const bool known = answer.status == ACTIONHIST_OK || answer.status == ACTIONHIST_CANCELLED;
      REQUIRE(known);
    }
  }
}
