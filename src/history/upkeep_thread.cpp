#include "history/upkeep_thread.hpp"

#include <algorithm>
#include <exception>

#include "core/hash.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

// A process that dies during its turn keeps the others waiting for at most this long.
constexpr auto longest_turn = std::chrono::seconds{10min};

}  // namespace

UpkeepThread::UpkeepThread(Repository& repository, std::chrono::seconds interval, std::function<void()> work,
                           std::function<void(const std::string&)> log)
    : repository_(repository),
      interval_(interval),
      work_(std::move(work)),
      log_(std::move(log)),
      name_(uuid_v7(system_now())),
      thread_([this] { run(); }) {}

UpkeepThread::~UpkeepThread() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

std::string UpkeepThread::error() const {
  std::lock_guard lock(mutex_);
  return error_;
}

void UpkeepThread::turn() {
  LearningStore& learning = repository_.learning();
  const TimePoint begin = repository_.clock()();
  if (!learning.lease(Duty::upkeep, name_, begin, begin + std::max(interval_, longest_turn))) return;
  work_();
  // Done: the others may have the next one.
  learning.lease(Duty::upkeep, name_, begin, begin + interval_);
}

void UpkeepThread::run() {
  for (;;) {
    std::string error;
    try {
      turn();
    } catch (const std::exception& caught) {
      error = caught.what();
    }
    if (!error.empty()) log_(error);
    std::unique_lock lock(mutex_);
    error_ = std::move(error);
    if (stopped_.wait_for(lock, interval_, [&] { return stop_; })) return;
  }
}

}  // namespace actionhist
