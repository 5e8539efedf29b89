// The resources that are stored for certain, so that actions on them need not describe them again.
// A KnownResources may be used from any thread at once.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

#include <actionhist/action.hpp>

namespace actionhist::postgres {

class KnownResources {
 public:
  // When the server started that stores what is known here; absent at first. Another server, after a failover or
  // a restore, may have lost the newest commits.
  std::optional<TimePoint> server() const {
    std::lock_guard lock(mutex_);
    return server_;
  }

  bool contains(const Trace& trace) const {
    std::lock_guard lock(mutex_);
    return rows_.contains(row_of(trace));
  }

  // All that add_resources() says of the trace is stored by the server that started then.
  void add(const Trace& trace, TimePoint server) {
    std::lock_guard lock(mutex_);
    if (server_ != server || rows_.size() >= most) rows_.clear();
    server_ = server;
    rows_.insert(row_of(trace));
  }

  void forget() {
    std::lock_guard lock(mutex_);
    rows_.clear();
  }

 private:
  static constexpr std::size_t most = 20'000;
  static std::string row_of(const Trace& trace) {
    std::string row = trace.resource_id + trace.resource.uid;
    if (!trace.owner.empty()) row += '\0' + trace.resource.kind + '\0' + trace.resource.name;
    return row;
  }

  mutable std::mutex mutex_;
  std::optional<TimePoint> server_;       // guarded by mutex_, as is all below
  std::unordered_set<std::string> rows_;  // resource ids, each with a uid or none, and what the owner owns
};

}  // namespace actionhist::postgres
