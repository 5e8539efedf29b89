// Decides on a proposed action: reads what happened in its scopes, asks the detectors, and notes a refusal.
// A Guard may be used from any thread.
#pragma once

#include <atomic>
#include <vector>

#include <actionhist/history.hpp>

namespace actionhist {

// What a proposal is about: only to know, to act, or to act whatever the answer is.
enum class Asking { check, propose, override_ };

class Guard {
 public:
  // `repository` must outlive the guard.
  explicit Guard(Repository& repository) : repository_(repository) {}

  // What to answer to `proposed` at `now`. Unless it is only a check, a refusal is noted, so that its like is
  // refused too. The answer to an override is allowed, with what would have refused it. An id that is stored
  // already is allowed, `repeated`, with its trace, unless the action has ended: conflict.
  // REQUIRES: unless it is only a check, inside a transaction.
  Verdict decide(const RecentTrace& proposed, TimePoint now, Asking asking);

  // Patterns found in the actions that match the query, as of a moment; nothing is noted.
  std::vector<Detection> detect(const DetectQuery& query, TimePoint as_of);

  // Patterns found in what was done to a resource, those that share no action with one that was noted already.
  // They are noted and refuse nothing.
  std::vector<Detection> analyse(const std::string& resource_id, TimePoint as_of);

 private:
  // One proposal while it is decided.
  struct Case {
    const Trace& proposed;
    const TraceDigest& digest;  // of the proposed action
    Asking asking;
    const GuardView& view;
    Verdict& verdict;

    // The detection's pattern, or nullptr if it is gone or does not apply to the proposal.
    const Pattern* pattern_of(const Detection& detection) const;
  };

  // True if this very proposal was refused before, which repeats the answer and notes nothing.
  bool refused_before(Case one);
  // Asks the detectors about one scope of the proposal, whose recent actions are these.
  void judge(Case one, const Scope& scope, std::span<const RecentTrace> recent, TimePoint now);
  // What was refused stays refused until it has cleared, also after the reversals have left the window.
  void uphold(Case one);

  // Chooses what a new detection does, and for how long.
  void put_in_force(Detection& detection, const Pattern& pattern, const Scope& scope, TimePoint as_of);
  // Adds a detection in force to the reasons of a refusal, or notes it beside when its pattern is only tried.
  void refuse(Case one, const Pattern& pattern, Detection detection);
  // Says what to do instead, or that a human has to decide when nothing is better.
  void suggest(Verdict& verdict, const Trace& proposed);

  // The storage's answer for a window that is as long as the patterns need.
  GuardView view(const Trace& proposed, std::vector<Scope> scopes, TimePoint now, bool lock);

  // Notes those that share no action with one of the same pattern that was noted already; what it noted.
  std::vector<Detection> note_new(const Scope& scope, std::span<const Detection> found, TimePoint as_of);

  Repository& repository_;
  // The longest window that patterns and policies lately had, a guess for the next reading.
  std::atomic<std::chrono::minutes> window_{std::chrono::minutes{120}};
  std::atomic<int> unneeded_{0};  // readings in a row that needed less
};

// How much farther than half an hour from its actions the widest of the patterns looks for alerts.
std::chrono::minutes farther_alerts(std::span<const Pattern> patterns);

// The scopes of an action that are known: its guarded resource, its correlation, its session.
std::vector<Scope> scopes_of(const Action& action, const std::string& resource_id);

}  // namespace actionhist
