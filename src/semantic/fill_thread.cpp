#include "semantic/fill_thread.hpp"

#include <chrono>
#include <exception>

#include "semantic/retry_pause.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

// Between two pages, which compete with what agents write.
constexpr std::chrono::milliseconds page_pause = 200ms;
// How often it looks for what is new, or whether another process has stopped to fill the space.
constexpr std::chrono::milliseconds look_pause = 1s;

}  // namespace

FillThread::FillThread(std::unique_ptr<SpaceFiller> filler, std::function<void(const std::string&)> log,
                       std::function<void()> when_filled)
    : filler_(std::move(filler)),
      error_(std::move(log)),
      when_filled_(std::move(when_filled)),
      thread_([this] { run(); }) {}

FillThread::~FillThread() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  thread_.join();
}

void FillThread::run() {
  RetryPause retry;
  for (;;) {
    std::string error;
    bool moved = false;
    try {
      moved = filler_->step();
      if (filler_->filled()) when_filled_();
    } catch (const std::exception& caught) {
      error = caught.what();
    }
    retry.note(!error.empty());
    error_.note(error);
    const auto pause = !error.empty() ? retry.length() : moved ? page_pause : look_pause;
    std::unique_lock lock(mutex_);
    if (stopping_.wait_for(lock, pause, [&] { return stop_; })) return;
  }
}

}  // namespace actionhist
