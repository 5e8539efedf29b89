// A History that the host may close while others still use it. In the child of a fork() it refuses, and its locks,
// threads and memory are left as they are.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include <actionhist/history.hpp>

#include "core/owner_process.hpp"
#include "guarded.hpp"
#include "options.hpp"
#include "submissions.hpp"

struct actionhist_history {
 public:
  actionhist_history(actionhist::History opened, std::function<void(std::string_view)> on_refused,
                     actionhist::capi::Progress on_progress, int submit_threads)
      : refused(std::move(on_refused)),
        progress(std::move(on_progress)),
        history_(std::make_unique<actionhist::History>(std::move(opened))),
        submissions_(submit_threads) {}
  // Waits for calls under way: the host cannot know of those that its callbacks make. REQUIRES: not inherited().
  ~actionhist_history() {
    close();
    {
      std::unique_lock lock(mutex_);
      idle_.wait(lock, [this] { return calls_ == 0; });
    }
    history_.reset();
  }

  // The History, open as long as the result. Throws Error: invalid_argument when it is closed, and cancelled to what
  // was submitted before; unsupported after fork().
  auto acquire() {
    process_.require("history");
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      ++calls_;
      return std::unique_ptr<actionhist::History, Release>(history_.get(), Release{this});
    }
    if (submissions_.serves_here()) {
      throw actionhist::Error(actionhist::ErrorCode::cancelled, closed_before);
    }
    actionhist::refuse("history", "is closed");
  }

  // As Submissions::add(). Throws Error: unsupported after fork().
  void submit(actionhist::capi::Submissions::Work work) {
    process_.require("history");
    submissions_.add(std::move(work));
  }

  // A call under way may be that of a callback on a thread of the History, which cannot end itself. So the History is
  // left to the destructor then.
  void close() {
    if (inherited()) return;
    submissions_.close();
    std::unique_ptr<actionhist::History> idle;  // ends after the lock, which callbacks wait for
    const std::lock_guard lock(mutex_);
    closed_ = true;
    if (calls_ == 0) idle = std::move(history_);
  }

  // Whether this is the child of a fork(), which leaks what belongs to its parent.
  bool inherited() const noexcept { return process_.inherited(); }

  const std::function<void(std::string_view)> refused;  // may be empty
  const actionhist::capi::Progress progress;            // may be empty

  static constexpr const char* closed_before = "history: was closed before the operation began";

 private:
  struct Release {
    actionhist_history* handle;
    void operator()(actionhist::History*) const {
      const std::lock_guard lock(handle->mutex_);
      if (--handle->calls_ == 0) handle->idle_.notify_all();
    }
  };

  const actionhist::OwnerProcess process_;
  std::mutex mutex_;
  std::condition_variable idle_;                  // no call is under way any more
  std::unique_ptr<actionhist::History> history_;  // guarded by mutex_
  int calls_ = 0;                                 // guarded by mutex_
  bool closed_ = false;                           // guarded by mutex_
  actionhist::capi::Submissions submissions_;     // last: its threads end before the rest goes
};
