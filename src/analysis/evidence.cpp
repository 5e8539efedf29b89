#include "analysis/evidence.hpp"

#include <algorithm>
#include <cassert>

namespace actionhist {
namespace {

[[maybe_unused]] bool in_order(std::span<const TraceDigest* const> digests) {
  return std::ranges::is_sorted(digests, {}, &TraceDigest::at);
}

}  // namespace

const TraceDigest& digest_of(const RecentTrace& trace) {
  return trace.digest([](const Trace& read) { return std::make_shared<const TraceDigest>(read); });
}

Past::Past(std::span<const Trace> traces) {
  digests_.reserve(traces.size());
  own_.reserve(traces.size());
  for (const Trace& trace : traces) {
    digests_.push_back(own_.emplace_back(std::make_shared<const TraceDigest>(trace)).get());
  }
  assert(in_order(digests_));
}

Past::Past(std::span<const RecentTrace> traces) {
  digests_.reserve(traces.size());
  for (const RecentTrace& trace : traces) digests_.push_back(&digest_of(trace));
  assert(in_order(digests_));
}

}  // namespace actionhist
