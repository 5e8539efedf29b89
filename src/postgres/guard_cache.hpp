// What this process decided on lately, kept for the next decision on the same scopes. That it still holds is checked
// by the statement that stores what was allowed; see GuardedHeads.
// A GuardCache may be used from any thread at once.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
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
  std::vector<Alert> alerts;
};

// What was read of some scopes: everything from a little before `now`, so that a decision by a clock that is behind
// finds all that it needs.
struct GuardReading {
  GuardedHeads heads;
  TimePoint now{};
  std::chrono::microseconds window{};  // how far back before `now`
  bool usual = false;                  // the traces of the resource reach back as far as the baseline
  GuardPolicy policy;
  std::vector<Detection> in_force;
  std::vector<std::vector<Trace>> recent;  // of each scope, oldest first
  std::shared_ptr<const Watch> watch;
};

// The part of a reading that answers the question; absent if it does not reach that far.
std::optional<GuardView> view_of(const GuardReading& reading, const GuardQuestion& question);

// What a transaction decides on before it has locked anything.
struct Premise {
  std::string key;                  // of the scopes, in the cache
  std::vector<std::string> scopes;  // as detections name them
  GuardedHeads heads;
  std::size_t max_traces = 0;
  std::optional<Trace> action{};  // that was allowed, to be stored with the commit
};

class GuardCache {
 public:
  // While it lives, no other decision of this process is on any of its scopes. It would only be made in vain.
  using Turn = std::vector<std::unique_lock<std::timed_mutex>>;
  // Waits at most for `patience`, and then goes on without.
  Turn take_turn(const std::vector<std::string>& scopes, std::chrono::milliseconds patience);

  // Whether reading ahead of the lock is worth a try: not for a while after others were faster.
  bool promising(const std::string& key);

  // The last reading of the scopes, if nothing is known to have changed since.
  std::shared_ptr<const GuardReading> find(const std::string& key, const std::vector<std::string>& scopes);
  std::shared_ptr<const GuardReading> put(const std::string& key, const std::vector<std::string>& scopes,
                                          GuardReading reading);

  // The action of the premise is stored.
  void stored(const Premise& premise);
  // It is not: somebody was faster.
  void lost(const Premise& premise);
  // What is kept of these scopes has changed.
  void forget(const std::vector<std::string>& scopes);

  std::shared_ptr<const Watch> watch() const;
  void put_watch(std::shared_ptr<const Watch> watch);

 private:
  struct Entry {
    std::shared_ptr<GuardReading> reading;
    int to_skip = 0;  // decisions that had better take the lock first
  };
  void make_room();

  std::array<std::timed_mutex, 1024> turns_;  // of scopes, by their hash
  mutable std::mutex mutex_;
  // All below is guarded by mutex_.
  std::unordered_map<std::string, Entry> entries_;
  std::unordered_map<std::string, std::int64_t> versions_;  // of each scope as it was last seen
  std::size_t traces_ = 0;                                  // in all entries
  std::shared_ptr<const Watch> watch_;
};

}  // namespace actionhist::postgres
