// Measures the rate and the processor time of calls to a server: of what runs between start() and stop(), as often as
// that is. For one thread.
#pragma once

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/types.h>
#include <time.h>

#include "support/postgres_server.hpp"

namespace actionhist::benchmark {

class ProcessorMeter {
 public:
  explicit ProcessorMeter(const test::PostgresServer& server) {
    std::ifstream(server.data_folder() + "/postmaster.pid") >> postmaster_;
  }

  void start() {
    begin_ = std::chrono::steady_clock::now();
    used_before_ = processor_seconds();
  }
  void stop(double calls) {
    processor_seconds_ += processor_seconds() - used_before_;
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    calls_ += calls;
  }

  double calls_a_second() const { return calls_ / seconds_; }
  double microseconds_a_call() const { return 1e6 * processor_seconds_ / calls_; }
  void reset() { calls_ = seconds_ = processor_seconds_ = 0; }

 private:
  static double seconds_of(clockid_t clock) {
    timespec time{};
    // A process that has just ended has no clock any more.
    if (clock_gettime(clock, &time) != 0) return 0;
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  // Of this process and of the server's.
  double processor_seconds() const {
    double sum = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const pid_t process = std::atoi(entry.path().filename().c_str());
      if (process == 0) continue;
      // PID (NAME) STATE PARENT …
      std::string text;
      std::getline(std::ifstream(entry.path() / "stat"), text);
      const std::size_t name_end = text.rfind(") ");
      if (name_end == std::string::npos || std::atoi(text.c_str() + name_end + 4) != postmaster_) continue;
      clockid_t clock{};
      if (clock_getcpuclockid(process, &clock) == 0) sum += seconds_of(clock);
    }
    return sum;
  }

  pid_t postmaster_ = 0;
  std::chrono::steady_clock::time_point begin_;
  double used_before_ = 0;
  double calls_ = 0, seconds_ = 0, processor_seconds_ = 0;
};

}  // namespace actionhist::benchmark
