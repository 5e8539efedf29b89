// Runs work on threads of its own, in the order of its coming. May be used from any thread at once.
#pragma once

#include <condition_variable>
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

  explicit Submissions(int threads) : threads_wanted_(threads) {}
  // Waits for what runs. REQUIRES: not on one of its threads.
  ~Submissions();

  // Throws Error: unavailable when the queue is full, invalid_argument after close().
  void add(Work work);

  // Cancels what waits, on this thread; what runs goes on.
  void close();

 private:
  void serve();

  const int threads_wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;          // guarded by mutex_
  std::vector<std::thread> threads_;  // guarded by mutex_; started by the first add()
  bool closed_ = false;               // guarded by mutex_
};

}  // namespace actionhist::capi
