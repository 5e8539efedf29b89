#include "postgres/group_commit.hpp"

#include <algorithm>
#include <condition_variable>
#include <iterator>
#include <optional>

#include "postgres/server_error.hpp"

namespace actionhist::postgres {

// Two of a line are on their way at most: one that was sent, and one behind it that others may still join.
struct GroupCommit::Group {
  std::vector<const Trace*> traces;  // not changed any more once it is sent, as the heads
  GuardedHeads heads;
  std::vector<std::string> scopes;  // of all its actions, the line's first; perhaps several times
  std::shared_ptr<Group> before;    // that it counts on, until that is stored
  bool sent = false;
  std::optional<Fate> fate;
  std::condition_variable settled;

  bool touches(const std::vector<std::string>& others) const {
    return std::ranges::find_first_of(scopes, others) != scopes.end() || (before && before->touches(others));
  }
};

std::int64_t GroupCommit::failures() const {
  std::lock_guard lock(mutex_);
  return failures_;
}

bool GroupCommit::await(const std::vector<std::string>& scopes, std::string_view line,
                        std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  while (true) {
    const auto found = std::ranges::find_if(
        lines_, [&](const auto& other) { return other.first != line && other.second->touches(scopes); });
    if (found == lines_.end()) return true;
    const std::shared_ptr<Group> group = found->second;
    if (!group->settled.wait_until(lock, deadline, [&] { return group->fate.has_value(); })) return false;
  }
}

std::shared_ptr<GroupCommit::Group> GroupCommit::join(const Premise& premise) try {
  if (premise.failures != failures_) return nullptr;
  cache_.expect(premise);
  // Nobody may find half of it: what can fail comes before the group is changed.
  std::vector<std::string> scopes = premise.scopes;
  const auto newest = lines_.find(premise.scopes.front());
  std::shared_ptr<Group> group = newest == lines_.end() ? nullptr : newest->second;
  if (group && !group->sent) {
    group->traces.reserve(group->traces.size() + 1);
    group->scopes.reserve(group->scopes.size() + scopes.size());
    if (!group->heads.add(premise.heads)) {
      cache_.forget(premise.scopes);
      return nullptr;
    }
    group->traces.push_back(&**premise.action);
    std::ranges::move(scopes, std::back_inserter(group->scopes));
    return group;
  }
  auto next = std::make_shared<Group>();
  next->traces.push_back(&**premise.action);
  next->heads = premise.heads;
  next->scopes = std::move(scopes);
  next->before = std::move(group);
  lines_.insert_or_assign(premise.scopes.front(), next);
  return next;
} catch (...) {
  cache_.forget(premise.scopes);
  throw;
}

GroupCommit::Fate GroupCommit::commit(const Premise& premise, const std::function<void()>& joined,
                                      const Send& send) {
  std::unique_lock lock(mutex_);
  const std::shared_ptr<Group> group = join(premise);
  lock.unlock();
  joined();
  if (!group) return Fate::failed;

  lock.lock();
  const auto wait_for = [&](Group& other) {
    other.settled.wait(lock, [&] { return other.fate.has_value(); });
  };
  if (group->traces.front() != &**premise.action) {
    wait_for(*group);
  } else if (const std::shared_ptr<Group> before = group->before) {
    wait_for(*before);
  }
  if (group->fate) return *group->fate;
  group->before.reset();
  group->sent = true;
  lock.unlock();
  const auto end = [&](Fate fate) {
    lock.lock();
    settle(*group, fate);
    return fate;
  };
  try {
    send(group->traces, group->heads);
  } catch (const ServerError& error) {
    end(error.failure() == Failure::connection_lost ? Fate::unknown : Fate::failed);
    throw;
  } catch (...) {
    end(Fate::failed);
    throw;
  }
  return end(Fate::stored);
}

void GroupCommit::settle(Group& group, Fate fate) {
  const auto end = [](Group& ended, Fate how) {
    ended.fate = how;
    ended.settled.notify_all();
  };
  const auto newest = lines_.find(group.scopes.front());
  const std::shared_ptr<Group> behind = newest->second.get() == &group ? nullptr : newest->second;
  end(group, fate);
  if (fate != Fate::stored) {
    ++failures_;
    cache_.forget(group.scopes);
    if (behind) {
      cache_.forget(behind->scopes);
      end(*behind, Fate::failed);
    }
  }
  if (!behind || behind->fate) lines_.erase(newest);
}

}  // namespace actionhist::postgres
