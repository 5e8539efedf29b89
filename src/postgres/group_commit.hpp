// Proposals of this process that were allowed, on their way to the server. What is decided while others on the same
// resource are on their way counts on these, and goes there after them, all of it in one transaction and in the order
// in which it was decided. When a group is not stored, nor is what counts on it: its callers decide again.
// A GroupCommit may be used from any thread at once.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "postgres/guard_cache.hpp"

namespace actionhist::postgres {

class GroupCommit {
 public:
  enum class Fate {
    stored,
    failed,   // nothing of its group is stored
    unknown,  // the answer to the group's commit was lost
  };
  // Stores actions, in the order of their decisions, in one transaction, if these are still their heads.
  using Send = std::function<void(std::span<const Trace* const>, const GuardedHeads&)>;

  // `cache` is told what is on its way, and must outlive this.
  explicit GroupCommit(GuardCache& cache) : cache_(cache) {}

  // How many groups were not stored so far. What was read before the last of them may count on it.
  std::int64_t failures() const;

  // Waits until nothing is on its way that touches these scopes, the line of one scope aside. False if that takes
  // too long.
  bool await(const std::vector<std::string>& scopes, std::string_view line,
             std::chrono::milliseconds patience);

  // Puts the action of the premise into the line of its first scope, calls `joined`, and returns when it is known what
  // became of its group. `joined` must not throw: from then on others may decide on the same scopes. The first of a
  // group sends it, once all that it counts on is stored, and what `send` throws is thrown there; its connection lost
  // makes the fate of the others unknown. An action that was decided on what is not so any more has failed.
  // REQUIRES: nothing else is on its way that touches its scopes, its own line aside.
  Fate commit(const Premise& premise, const std::function<void()>& joined, const Send& send);

 private:
  struct Group;

  // All below REQUIRE: mutex_ is held. The group that the action is in; null if it cannot be in any.
  std::shared_ptr<Group> join(const Premise& premise);
  void settle(Group& group, Fate fate);

  GuardCache& cache_;
  mutable std::mutex mutex_;
  // All below is guarded by mutex_, and so are the groups. Of each line the newest, while it is on its way.
  std::unordered_map<std::string, std::shared_ptr<Group>> lines_;
  std::int64_t failures_ = 0;
};

}  // namespace actionhist::postgres
