// Runs work on threads of its own, in the order of its coming. May be used from any thread at once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace actionhist::capi {

class Submissions {
 public:
  // `run(cancelled)` is called once, and must not throw.
  using Work = std::function<void(bool cancelled)>;

  explicit Submissions(int threads) : threads_wanted_(static_cast<std::size_t>(threads)) {}
  // Waits for what runs. REQUIRES: not on one of its threads.
  ~Submissions();

  // Throws Error: unavailable when the queue is full or no thread can be started, invalid_argument after close().
  void add(Work work);

  // Cancels what waits, on this thread; what runs goes on.
  void close();

  // Whether the caller is one of its threads.
  bool serves_here() const noexcept;

 private:
  void serve();

  const std::size_t threads_wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;          // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_; started when nobody is free for what waits
  std::size_t idle_ = 0;              // guarded by mutex_; threads that wait for work
  bool closed_ = false;               // guarded by mutex_
};

}  // namespace actionhist::capi
