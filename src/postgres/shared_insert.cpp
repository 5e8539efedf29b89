#include "postgres/shared_insert.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "postgres/server_error.hpp"

namespace actionhist::postgres {
namespace {

constexpr std::string_view lock_not_available = "55P03";
// Fewer leave the server idle between two of them, more are too few actions each.
constexpr int most_on_their_way = 4;
// One that is held up, by a lock or a server that hangs, holds nobody up for longer. The pool has the last word.
constexpr auto patience = std::chrono::seconds(1);
// A group is as long on its way as its slowest action would be alone, and nobody should wait much longer.
constexpr std::size_t most_rows = 64;

// Whether all that went together may be run again as it is. Not so where one may wait for a lock or a month of its own.
bool of_all(const ServerError& error) {
  return error.failure() == Failure::connection_lost ||
         (error.failure() == Failure::transient && error.sqlstate() != lock_not_available);
}

// An exception that shares nothing with the other one, which belongs to another thread.
ServerError copy_of(const ServerError& error) {
  return {error.code(), error.failure(), std::string(error.what()), error.sqlstate(), error.constraint()};
}

}  // namespace

struct SharedInsert::Group {
  std::vector<const Trace*> rows;
  std::optional<GuardedHeads> heads;
  int members = 1;
  bool settled = false;
  bool stored = false;
  std::optional<ServerError> passing;  // that ended it, if it may be run again
  std::condition_variable ended;

  Group(Rows first, const GuardedHeads* given)
      : rows(first.begin(), first.end()), heads(given ? std::optional(*given) : std::nullopt) {}

  // False if they cannot go together.
  bool take(Rows more, const GuardedHeads* given) {
    if (rows.size() + more.size() > most_rows) return false;
    const auto known = [this](const Trace* row) {
      return std::ranges::find(rows, row->action_id, &Trace::action_id) != rows.end();
    };
    if (std::ranges::any_of(more, known)) return false;
    rows.reserve(rows.size() + more.size());
    if (given && !heads->add(*given)) return false;
    rows.insert(rows.end(), more.begin(), more.end());
    ++members;
    return true;
  }
};

std::size_t SharedInsert::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_;
}

void SharedInsert::store(Rows rows, const GuardedHeads* heads, const Send& send) {
  std::unique_lock lock(mutex_);
  std::shared_ptr<Group>& open = open_[heads ? 1 : 0];
  if (open && open->take(rows, heads)) {
    const std::shared_ptr<Group> group = open;
    waiting_ += rows.size();
    group->ended.wait(lock, [&] { return group->settled; });
    lock.unlock();
    if (group->passing) throw copy_of(*group->passing);
    if (!group->stored) send(rows, heads);
    return;
  }

  const auto group = std::make_shared<Group>(rows, heads);
  if (on_their_way_ >= most_on_their_way) {
    open = group;  // the one before, if any, is full or took something else
    waiting_ += rows.size();
    returned_.wait_for(lock, patience, [this] { return on_their_way_ < most_on_their_way; });
    waiting_ -= group->rows.size();
    if (open == group) open.reset();
  }
  ++on_their_way_;
  lock.unlock();
  const auto end = [&](bool stored, const ServerError* passing = nullptr) {
    lock.lock();
    --on_their_way_;
    group->settled = true;
    group->stored = stored;
    if (passing) group->passing = copy_of(*passing);
    returned_.notify_one();
    group->ended.notify_all();
    lock.unlock();
  };
  try {
    send(group->rows, group->heads ? &*group->heads : nullptr);
  } catch (const ServerError& error) {
    end(false, of_all(error) ? &error : nullptr);
    if (of_all(error) || group->members == 1) throw;
    return send(rows, heads);
  } catch (...) {
    end(false);
    if (group->members == 1) throw;
    return send(rows, heads);
  }
  end(true);
}

}  // namespace actionhist::postgres
