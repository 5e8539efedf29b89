// Lets calls on one thing run one after the other, also when a call hands control to the host: what the host then calls
// on the same thing would wait for itself, and is refused. In the child of a fork() all are, because a thread of the
// parent may have been at it. May be used from any thread at once.
#pragma once

#include <atomic>
#include <mutex>
#include <string_view>
#include <thread>

#include "core/owner_process.hpp"
#include "core/refuse.hpp"

namespace actionhist {

class Turns {
 public:
  // Runs `work` when nobody else's runs. Throws Error: invalid_argument, naming `thing`, inside of another work;
  // unsupported in a child.
  template <class Work>
  auto take(std::string_view thing, Work&& work) {
    process_.require(thing);
    if (owner_ == std::this_thread::get_id()) refuse(thing, "a callback must not call what calls it");
    const std::lock_guard lock(mutex_);
    const Owner mine(owner_);
    return work();
  }

  bool inherited() const noexcept { return process_.inherited(); }

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

  const OwnerProcess process_;
  std::mutex mutex_;
  std::atomic<std::thread::id> owner_{};  // of the work that runs
};

}  // namespace actionhist
