// A trace in memory at which several decisions look. What the guard reads from it, its documents above all, is read
// once and lives as long as the trace. Copies share it. May be used from any thread at once.
#pragma once

#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include <actionhist/action.hpp>

namespace actionhist {

struct TraceDigest;  // internal

class RecentTrace {
 public:
  explicit RecentTrace(Trace trace) : kept_(std::make_shared<Kept>(std::move(trace))) {}

  const Trace& operator*() const { return kept_->trace; }
  const Trace* operator->() const { return &kept_->trace; }
  TimePoint time() const { return kept_->trace.time(); }
  const std::string& action_id() const { return kept_->trace.action_id; }

  // What `read(trace)` returned to the first who asked. REQUIRES: all ask with the same `read`.
  template <class Read>
  const TraceDigest& digest(Read read) const {
    std::call_once(kept_->once, [&] { kept_->digest = read(kept_->trace); });
    return *kept_->digest;
  }

 private:
  struct Kept {
    explicit Kept(Trace given) : trace(std::move(given)) {}

    const Trace trace;
    std::once_flag once;
    std::shared_ptr<const TraceDigest> digest;
  };

  std::shared_ptr<Kept> kept_;
};

inline std::vector<RecentTrace> recent_traces(std::vector<Trace> traces) {
  std::vector<RecentTrace> recent;
  recent.reserve(traces.size());
  for (Trace& trace : traces) recent.emplace_back(std::move(trace));
  return recent;
}

}  // namespace actionhist
