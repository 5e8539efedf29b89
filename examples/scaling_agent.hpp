// An agent that scales a WorkerPool by naive thresholds and asks actionhist before every step.
// One thread only.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <actionhist/actionhist.hpp>

#include "job_load.hpp"
#include "worker_pool.hpp"

class ScalingAgent {
 public:
  // Both must outlive the agent.
  ScalingAgent(actionhist::History& history, WorkerPool& pool) : history_(history), pool_(pool) {}

  // Looks, and takes a step if it wants one and may. Says in a few words what it did, or nothing.
  std::string tick(const Reading& now);

  // Records what became of the last step, and of having held the size.
  void finish(const Reading& now);

  // The last refusal. It is respected until its retry_after.
  const std::optional<actionhist::Verdict>& refusal() const { return refusal_; }
  bool holds() const { return refusal_ && actionhist::system_now() < refusal_->retry_after; }

  static actionhist::Resource resource();

 private:
  struct Wish {
    int replicas = 0;
    std::string alert;
    std::string reasoning;
  };

  // A step whose effect is not known yet.
  struct Step {
    std::string action_id;
    bool up = false;
    std::chrono::steady_clock::time_point taken;
  };

  static std::optional<Wish> wish(const Reading& now);
  std::string propose(const Wish& wish, const Reading& now);
  void refused(actionhist::Verdict verdict, int workers);
  void assess_step(const Reading& now, bool final);
  void record_hold();

  actionhist::History& history_;
  WorkerPool& pool_;
  int pause_ = 0;  // ticks until the next step may be wanted
  std::optional<Step> step_;
  std::optional<actionhist::Verdict> refusal_;
  actionhist::TimePoint refused_at_{};
  int held_ = 0;           // workers while the size is held
  int longest_queue_ = 0;  // meanwhile
};
