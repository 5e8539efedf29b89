// What this process decided on lately, kept for the next decision on the same scopes. That it still holds is checked
// by the statement that stores what was allowed; see GuardedHeads.
// A GuardCache may be used from any thread at once.
#pragma once

#include <array>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <actionhist/repository.hpp>

#include "postgres/guard_heads.hpp"

namespace actionhist::postgres {

// The patterns of the tenant and its alerts since a moment, as they were at a version of the watch.
struct Watch {
  std::int64_t version = 0;
  TimePoint server{};  // when the server started that said so
  TimePoint since{};
  std::vector<Pattern> patterns;
  std::vector<Alert> alerts;                                                // by time
  std::unordered_map<std::string_view, std::vector<const Alert*>> firings;  // of `alerts`, by fingerprint
};

// What was read of a scope: everything from a little before `now`, so that a decision by a clock that is behind
// finds all that it needs.
struct ScopeReading {
  std::int64_t version = 0;  // of what stands for the scope, 0 if nothing did
  TimePoint server{};        // when the server started that said so
  TimePoint now{};
  std::chrono::microseconds window{};  // how far back before `now`
  bool usual = false;                  // the traces reach back as far as the baseline
  GuardPolicy policy;                  // of a resource
  std::vector<Detection> in_force;
  std::vector<RecentTrace> recent;  // oldest first; those that a decision looks at, and perhaps more

  // Whether a question can be answered from it.
  bool reaches(const Scope& scope, const GuardQuestion& question) const;
};

// How many mutating actions before these, the newest of a scope by time, a decision looks at too; see
// ActionStore::judged.
int judged_before(std::span<const RecentTrace> newest, int most);

// One for each scope of a question, in order.
using ScopeReadings = std::vector<std::shared_ptr<const ScopeReading>>;

// The answer from readings that all reach far enough; absent if the watch does not.
std::optional<GuardView> view_of(const ScopeReadings& readings, const std::shared_ptr<const Watch>& watch,
                                 const GuardQuestion& question);

// What a transaction decides on before it has locked anything.
struct Premise {
  std::vector<std::string> scopes;  // as detections name them, in the order of the question
  GuardedHeads heads;
  std::size_t max_traces = 0;
  std::int64_t failures = 0;               // of GroupCommit, before what was read
  std::optional<RecentTrace> action = {};  // that was allowed, to be stored with the commit
};

class GuardCache {
 public:
  // While it lives, no other decision of this process is on any of its scopes. It would only be made in vain.
  using Turn = std::vector<std::unique_lock<std::timed_mutex>>;
  // Waits at most for `patience`, and then goes on without.
  Turn take_turn(const std::vector<std::string>& scopes, std::chrono::milliseconds patience);

  // Whether reading ahead of the lock is worth a try: not for a while after others were faster.
  bool promising(const std::vector<std::string>& scopes);

  // The last reading of a scope, null if there is none or it has changed since.
  std::shared_ptr<const ScopeReading> find(const std::string& scope);
  std::shared_ptr<const ScopeReading> put(const std::string& scope, ScopeReading reading);

  // From now on the action of the premise counts as stored, although it is only on its way.
  void expect(const Premise& premise);
  // The versions of what is remembered of these scopes, absent where nothing is.
  std::vector<std::optional<std::int64_t>> versions(const std::vector<std::string>& scopes) const;
  // An action of these scopes has got another outcome, and nothing else has happened if versions() is still `before`.
  void change(const Trace& action, const std::vector<std::string>& scopes,
              const std::vector<std::optional<std::int64_t>>& before);
  // It was not stored: somebody was faster.
  void lost(const std::vector<std::string>& scopes);
  // What is kept of these scopes has changed.
  void forget(const std::vector<std::string>& scopes);

  std::shared_ptr<const Watch> watch() const;
  void put_watch(std::shared_ptr<const Watch> watch);

 private:
  struct Entry {
    std::string scope;
    std::shared_ptr<ScopeReading> reading;
    int to_skip = 0;  // decisions that had better take the lock first
  };
  // All below REQUIRES: mutex_ is held.
  const Entry* known(std::string_view scope) const;
  Entry* known(std::string_view scope);
  // The reading of an entry that has one, to be changed. What is in use stays as it is.
  static ScopeReading& own(Entry& entry);
  Entry& entry(const std::string& scope);
  void drop(Entry& entry);
  void make_room();

  std::array<std::timed_mutex, 1024> turns_;  // of scopes, by their hash
  mutable std::mutex mutex_;
  // All below is guarded by mutex_.
  std::list<Entry> entries_;                                                 // the one used last first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> places_;  // by the entries' own texts
  std::size_t traces_ = 0;                                                   // in all entries
  std::shared_ptr<const Watch> watch_;
};

}  // namespace actionhist::postgres
