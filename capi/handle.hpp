// A History that the host may close while others still use it. In the child of a fork() it refuses, and its locks,
// threads and memory are left as they are.
#pragma once

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
        history_(std::make_shared<actionhist::History>(std::move(opened))),
        submissions_(submit_threads) {}
  // REQUIRES: not inherited().
  ~actionhist_history() { close(); }

  // The History, kept as long as the result. Throws Error: invalid_argument when it is closed, and cancelled to what
  // was submitted before; unsupported after fork().
  std::shared_ptr<actionhist::History> acquire() {
    process_.require("history");
    const std::lock_guard lock(mutex_);
    if (history_) return history_;
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

  void close() {
    if (inherited()) return;
    submissions_.close();
    std::shared_ptr<actionhist::History> last;
    const std::lock_guard lock(mutex_);
    last.swap(history_);
  }

  // Whether this is the child of a fork(), which leaks what belongs to its parent.
  bool inherited() const noexcept { return process_.inherited(); }

  const std::function<void(std::string_view)> refused;  // may be empty
  const actionhist::capi::Progress progress;            // may be empty

  static constexpr const char* closed_before = "history: was closed before the operation began";

 private:
  const actionhist::OwnerProcess process_;
  std::mutex mutex_;
  std::shared_ptr<actionhist::History> history_;  // guarded by mutex_; empty when closed
  actionhist::capi::Submissions submissions_;     // last: its threads end before the rest goes
};
