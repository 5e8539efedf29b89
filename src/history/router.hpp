// Which part answers which use case, as one table, and how often and how fast it did.
// A Router may be used from any thread at once.
#pragma once

#include <array>
#include <chrono>
#include <mutex>
#include <vector>

#include <actionhist/history.hpp>

namespace actionhist {

enum class UseCase {
  oscillation_detection,
  action_prevention,
  real_time_decisions,
  similar_actions,
  pattern_discovery,
  natural_language_search,
  context_recommendations,
  time_series_analysis,
  effectiveness_metrics,
  compliance_reporting,
};

class Router {
 public:
  // Counts one call of a use case while it lives.
  class Call {
   public:
    Call(Router& router, UseCase use_case)
        : router_(router), use_case_(use_case), begin_(std::chrono::steady_clock::now()) {}
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    void fell_back() { fell_back_ = true; }

   private:
    Router& router_;
    UseCase use_case_;
    std::chrono::steady_clock::time_point begin_;
    bool fell_back_ = false;
  };

  // One row a use case, in the order of UseCase.
  std::vector<RouteStats> stats() const;

 private:
  struct Counter {
    std::int64_t hits = 0;
    std::int64_t fallbacks = 0;
    std::chrono::nanoseconds total{0};
    std::chrono::nanoseconds longest{0};
  };
  mutable std::mutex mutex_;
  std::array<Counter, 10> counters_;  // guarded by mutex_; by UseCase
};

}  // namespace actionhist
