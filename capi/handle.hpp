// A History that the host may close while others still use it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string_view>

#include <actionhist/history.hpp>

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
        submissions(submit_threads) {}

  // The History, kept as long as the result. Throws Error: invalid_argument when it is closed.
  std::shared_ptr<actionhist::History> acquire() {
    const std::lock_guard lock(mutex_);
    if (!history_) actionhist::refuse("history", "is closed");
    return history_;
  }

  void close() {
    std::shared_ptr<actionhist::History> last;
    {
      const std::lock_guard lock(mutex_);
      last.swap(history_);
    }
    submissions.close();
  }

  const std::function<void(std::string_view)> refused;  // may be empty
  const actionhist::capi::Progress progress;            // may be empty

 private:
  std::mutex mutex_;
  std::shared_ptr<actionhist::History> history_;  // guarded by mutex_; empty when closed

 public:
  actionhist::capi::Submissions submissions;  // last: its threads end before the rest goes
};
