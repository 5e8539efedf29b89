// What the detectors look at. Immutable; may be used from any thread at once.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <actionhist/alert.hpp>
#include <actionhist/recent_trace.hpp>

#include "analysis/trace_digest.hpp"

namespace actionhist {

// A proposal is judged by so many actions of each of its scopes, the newest of its window; more are a loop by any rule.
constexpr int most_judged = 512;

// What was read from the trace, now if not before.
const TraceDigest& digest_of(const RecentTrace& trace);

// The actions of one scope, oldest first, with what was read of each. They must outlive it.
// REQUIRES: they are sorted by time.
class Past {
 public:
  Past() = default;
  // Reads each of them now.
  Past(std::span<const Trace> traces);
  Past(const std::vector<Trace>& traces) : Past(std::span(traces)) {}
  // Reads those that no decision has looked at before.
  Past(std::span<const RecentTrace> traces);

  bool empty() const { return digests_.empty(); }
  std::span<const TraceDigest* const> digests() const { return digests_; }

 private:
  std::vector<const TraceDigest*> digests_;
  std::vector<std::shared_ptr<const TraceDigest>> own_;  // those that it has read for itself
};

// The proposed action, if there is one, is none of `past`; it would happen at the moment to judge, whatever its
// time. `alerts_known` says that `alerts` are all there were, not that nobody looked; `earlier` is said of what fired
// before them. All that is pointed at must outlive it.
struct Evidence {
  Past past = {};
  std::span<const Alert> alerts = {};
  bool alerts_known = false;
  const Trace* candidate = nullptr;
  std::string scope = {};
  const TraceDigest* candidate_digest = nullptr;  // if the candidate was read already
  const EarlierAlerts* earlier = nullptr;         // if it was asked for
};

}  // namespace actionhist
