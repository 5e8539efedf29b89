// Collects what submitted operations give. May be used from any thread at once.
#pragma once

#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "capi/session.hpp"

namespace actionhist::test {

struct Inbox {
  std::mutex mutex;
  std::condition_variable arrived;
  std::vector<Answer> answers;

  static void done(void* user_data, actionhist_status status, actionhist_text* text,
                   actionhist_error* error) {
    auto& inbox = *static_cast<Inbox*>(user_data);
    const std::lock_guard lock(inbox.mutex);
    inbox.answers.push_back(take(status, text, error));
    inbox.arrived.notify_all();
  }

  void wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    REQUIRE(arrived.wait_for(lock, std::chrono::minutes(2), [&] { return answers.size() >= count; }));
  }
};

}  // namespace actionhist::test
