#include "submissions.hpp"

#include <actionhist/error.hpp>

namespace actionhist::capi {
namespace {

constexpr std::size_t max_waiting = 1024;

thread_local const Submissions* served_here = nullptr;

}  // namespace

Submissions::~Submissions() {
  close();
  for (std::thread& thread : threads_) thread.join();
}

void Submissions::add(Work work) {
  const std::lock_guard lock(mutex_);
  if (closed_) throw Error(ErrorCode::invalid_argument, "history: is closed");
  if (waiting_.size() >= max_waiting) {
    throw Error(ErrorCode::unavailable, "submit: 1024 operations wait already");
  }
  waiting_.push_back(std::move(work));
  if (idle_ < waiting_.size() && threads_.size() < threads_wanted_) {
    try {
      threads_.emplace_back([this] { serve(); });
    } catch (const std::exception&) {
      // Those that there are do it, only later.
      if (threads_.empty()) {
        waiting_.pop_back();
        throw Error(ErrorCode::unavailable, "submit: no thread can be started; try again later");
      }
    }
  }
  changed_.notify_one();
}

void Submissions::close() {
  std::deque<Work> cancelled;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    cancelled.swap(waiting_);
  }
  changed_.notify_all();
  for (const Work& work : cancelled) work(true);
}

bool Submissions::serves_here() const noexcept { return served_here == this; }

void Submissions::serve() {
  served_here = this;
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work(false);
    lock.lock();
  }
}

}  // namespace actionhist::capi
