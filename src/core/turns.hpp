// Lets calls on one thing run one after the other, also when a call hands control to the host: what the host then calls
// on the same thing would wait for itself, and is refused. May be used from any thread at once.
#pragma once

#include <atomic>
#include <mutex>
#include <string_view>
#include <thread>

#include "core/refuse.hpp"

namespace actionhist {

class Turns {
 public:
  // Runs `work` when nobody else's runs. Throws Error: invalid_argument, naming `thing`, inside of another work.
  template <class Work>
  auto take(std::string_view thing, Work&& work) {
    if (owner_ == std::this_thread::get_id()) refuse(thing, "a callback must not call what calls it");
    const std::lock_guard lock(mutex_);
    const Owner mine(owner_);
    return work();
  }

 private:
  class Owner {
   public:
    explicit Owner(std::atomic<std::thread::id>& owner) : owner_(owner) {
      owner_ = std::this_thread::get_id();
    }
    ~Owner() { owner_ = std::thread::id(); }

   private:
    std::atomic<std::thread::id>& owner_;
  };

  std::mutex mutex_;
  std::atomic<std::thread::id> owner_{};  // of the work that runs
};

}  // namespace actionhist
