// Decides on a proposed action: reads what happened in its scopes, asks the detectors, and notes a refusal.
// A Guard may be used from any thread.
#pragma once

#include <atomic>
#include <vector>

#include <actionhist/history.hpp>

namespace actionhist {

class Guard {
 public:
  // `repository` must outlive the guard.
  explicit Guard(Repository& repository) : repository_(repository) {}

  // What to answer to `proposed` at `now`. With `write` a refusal is noted, so that its like is refused too. An
  // id that is stored already is allowed, `repeated`, with its trace.
  // REQUIRES: with `write`, inside a transaction.
  Verdict decide(const Trace& proposed, TimePoint now, bool write);

  // Patterns found in the actions that match the query, as of a moment; nothing is noted.
  std::vector<Detection> detect(const DetectQuery& query, TimePoint as_of);

 private:
  // Chooses what a new detection does, and for how long.
  void put_in_force(Detection& detection, const Pattern& pattern, const Scope& scope, TimePoint as_of);
  // Adds a detection in force to the reasons of a refusal.
  Verdict refuse(Verdict verdict, Detection detection, const Trace& proposed, bool write);

  // The storage's answer for a window that is as long as the patterns need.
  GuardView view(const Trace& proposed, std::vector<Scope> scopes, TimePoint now, bool lock);

  Repository& repository_;
  // The longest window of the patterns as they were last read, a guess for the next reading.
  std::atomic<std::chrono::minutes> window_{std::chrono::minutes{120}};
};

// The scopes of an action that are known: its guarded resource, its correlation, its session.
std::vector<Scope> scopes_of(const Action& action, const std::string& resource_id);

// The resource that the guard watches for an action: its owner if given, else the resource itself.
Resource guarded_resource(const Action& action);

}  // namespace actionhist
