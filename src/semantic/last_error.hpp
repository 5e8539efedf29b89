// What a thread met last, for those who ask. The log is told when it changes, since it may last for hours.
// note() is for one thread, text() for any.
#pragma once

#include <functional>
#include <mutex>
#include <string>

namespace actionhist {

class LastError {
 public:
  // `log` may be empty.
  explicit LastError(std::function<void(const std::string&)> log) : log_(std::move(log)) {}

  // Empty: all went well.
  void note(const std::string& error) {
    std::string before = error;
    // Kept before it is logged, so that whoever hears of it finds it in health().
    {
      const std::lock_guard lock(mutex_);
      before.swap(text_);
    }
    if (error != before && log_) log_(error.empty() ? "works again, after: " + before : error);
  }

  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::function<void(const std::string&)> log_;
  mutable std::mutex mutex_;
  std::string text_;  // guarded by mutex_
};

}  // namespace actionhist
