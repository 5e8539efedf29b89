// Does the upkeep of a memory every so often, in a thread of its own. Of the processes that share a memory one
// does it at a time.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <actionhist/repository.hpp>

namespace actionhist {

class UpkeepThread {
 public:
  // `repository` must outlive the thread. What goes wrong is given to `log` and kept for error(); the next turn
  // comes all the same.
  UpkeepThread(Repository& repository, std::chrono::seconds interval, std::function<void()> work,
               std::function<void(const std::string&)> log);
  // Waits for the turn that is under way.
  ~UpkeepThread();

  // Of the last turn, empty if it went well.
  std::string error() const;

 private:
  void run();
  void turn();

  Repository& repository_;
  std::chrono::seconds interval_;
  std::function<void()> work_;
  std::function<void(const std::string&)> log_;
  std::string name_;  // of this thread, unique among processes
  mutable std::mutex mutex_;
  std::condition_variable stopped_;
  std::string error_;  // guarded by mutex_
  bool stop_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace actionhist
