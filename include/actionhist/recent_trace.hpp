// A trace in memory at which several decisions look. What the guard reads from it, its documents above all, is kept
// and lives as long as the trace. Copies share it. May be used from any thread at once.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include <actionhist/action.hpp>

namespace actionhist {

struct TraceDigest;  // internal

class RecentTrace {
 public:
  explicit RecentTrace(Trace trace)
      : kept_(std::make_shared<Kept>(std::move(trace))),
        time_(kept_->trace.time()),
        mutating_(kept_->trace.effect != Effect::read_only),
        id_hash_(std::hash<std::string>()(kept_->trace.action_id)) {}

  const Trace& operator*() const { return kept_->trace; }
  const Trace* operator->() const { return &kept_->trace; }
  TimePoint time() const { return time_; }
  bool mutating() const { return mutating_; }
  const std::string& action_id() const { return kept_->trace.action_id; }
  // std::hash of the id, which tells most others apart without looking at the trace.
  std::size_t id_hash() const { return id_hash_; }

  // What `read(trace)`, a shared_ptr, returned to the first who asked; of several at once, to one of them.
  // REQUIRES: all ask with the same `read`.
  template <class Read>
  const TraceDigest& digest(Read read) const {
    const TraceDigest* known = kept_->digest.load(std::memory_order_acquire);
    if (known) return *known;
    std::shared_ptr<const TraceDigest> made = read(kept_->trace);
    if (!kept_->digest.compare_exchange_strong(known, made.get(), std::memory_order_acq_rel)) return *known;
    kept_->owner = std::move(made);
    return *kept_->owner;
  }

 private:
  struct Kept {
    explicit Kept(Trace given) : trace(std::move(given)) {}

    const Trace trace;
    std::atomic<const TraceDigest*> digest = nullptr;
    std::shared_ptr<const TraceDigest> owner;  // of the digest; written by whoever set that
  };

  std::shared_ptr<Kept> kept_;
  // Beside each other in a list of many, where looking into each trace would take longer.
  TimePoint time_;
  bool mutating_;
  std::size_t id_hash_;
};

inline std::vector<RecentTrace> recent_traces(std::vector<Trace> traces) {
  std::vector<RecentTrace> recent;
  recent.reserve(traces.size());
  for (Trace& trace : traces) recent.emplace_back(std::move(trace));
  return recent;
}

}  // namespace actionhist
