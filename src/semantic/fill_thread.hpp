// Fills a space in the background, in a thread of its own: its model may be slow, or fail, and what is recorded
// meanwhile becomes searchable as fast as ever.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "semantic/last_error.hpp"
#include "semantic/space_filler.hpp"

namespace actionhist {

class FillThread {
 public:
  // What goes wrong is given to `log`, once, and kept for error(). `when_filled` is called by the thread after each look that
  // has found nothing left; what it throws goes wrong too.
  FillThread(std::unique_ptr<SpaceFiller> filler, std::function<void(const std::string&)> log,
             std::function<void()> when_filled);
  ~FillThread();

  const SpaceFiller& filler() const noexcept { return *filler_; }
  // Of the last page; empty if all went well.
  std::string error() const { return error_.text(); }

 private:
  void run();

  std::unique_ptr<SpaceFiller> filler_;
  LastError error_;
  std::function<void()> when_filled_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace actionhist
