// Actions that threads of this process store at the same time. While enough transactions are on their way to keep the
// server busy, what comes after them waits for one to return and then goes together, in one transaction.
// A SharedInsert may be used from any thread at once.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <span>

#include <actionhist/action.hpp>

#include "postgres/guard_heads.hpp"

namespace actionhist::postgres {

class SharedInsert {
 public:
  using Rows = std::span<const Trace* const>;
  // Stores all of the rows in one transaction, with heads as add_fresh_insert() does. Throws if it does not.
  using Send = std::function<void(Rows, const GuardedHeads*)>;

  // Stores the rows with `send`, or with that of another thread. What it throws is thrown here, unless the rows of
  // several threads went together: then each sends its own, because any of them may be to blame.
  // Throws ServerError for all of them if the transaction may be run again; if the connection was lost, it may be stored.
  void store(Rows rows, const GuardedHeads* heads, const Send& send);

  // How many rows wait, of all threads.
  std::size_t waiting() const;

 private:
  struct Group;

  mutable std::mutex mutex_;
  // All below is guarded by mutex_, and so is what waits.
  int on_their_way_ = 0;
  std::condition_variable returned_;
  std::size_t waiting_ = 0;                     // rows
  std::array<std::shared_ptr<Group>, 2> open_;  // that wait and may be joined: without heads, with heads
};

}  // namespace actionhist::postgres
