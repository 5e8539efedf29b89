#include "submissions.hpp"

#include <actionhist/error.hpp>

namespace actionhist::capi {
namespace {

constexpr std::size_t max_waiting = 1024;

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
  if (threads_.empty()) {
    threads_.reserve(static_cast<std::size_t>(threads_wanted_));
    threads_.emplace_back([this] { serve(); });
  } else if (!waiting_.empty() && threads_.size() < threads_.capacity()) {
    // Nobody was free for the one before.
    threads_.emplace_back([this] { serve(); });
  }
  waiting_.push_back(std::move(work));
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

void Submissions::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Work work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work(false);
    lock.lock();
  }
}

}  // namespace actionhist::capi
