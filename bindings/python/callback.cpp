#include "callback.hpp"

#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

#include <unistd.h>

namespace actionhist::python {
namespace {

// Never destroyed, because a thread may outlive the static objects.
struct Destroying {
  const pid_t process = getpid();
  std::mutex mutex;
  std::condition_variable done;
  int count = 0;  // guarded by mutex
};

Destroying& destroying() {
  static auto* const state = new Destroying;
  return *state;
}

void destroy_elsewhere(History* history) {
  Destroying& state = destroying();
  {
    const std::lock_guard lock(state.mutex);
    ++state.count;
  }
  const auto ended = [&state] {
    const std::lock_guard lock(state.mutex);
    --state.count;
    state.done.notify_all();
  };
  try {
    std::thread([history, ended] {
      delete history;
      ended();
    }).detach();
  } catch (const std::system_error&) {
    // Without a thread to wait for it, the History lives as long as the process.
    ended();
  }
}

}  // namespace

thread_local int Callback::depth_ = 0;

void destroy(History* history) noexcept {
  if (Callback::running()) {
    destroy_elsewhere(history);
  } else {
    delete history;
  }
}

void wait_destroyed() {
  Destroying& state = destroying();
  // In a child after fork() there are no such threads.
  if (state.process != getpid()) return;
  std::unique_lock lock(state.mutex);
  state.done.wait(lock, [&] { return state.count == 0; });
}

}  // namespace actionhist::python
