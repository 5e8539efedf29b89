// The connections of a History: bounded, lent out in the order in which they were asked for, replaced when
// they are broken, old or long idle. A Pool may be used from any thread at once. In the child of a fork()
// acquire() throws and destructors touch nothing.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include <actionhist/postgres_options.hpp>

#include "postgres/connection.hpp"
#include "postgres/target.hpp"

namespace actionhist::postgres {

class Pool;
struct PoolState;

// A connection that is lent out. Goes back to the pool at the end, without an open transaction.
// The Pool outlives it. Used by one thread at a time.
class Lease {
 public:
  Lease(Lease&& other) noexcept = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { give_back(); }

  Connection& operator*() const noexcept { return *connection_; }
  Connection* operator->() const noexcept { return connection_.get(); }
  Connection& connection() const noexcept { return *connection_; }

  // Closes the connection instead of keeping it.
  void drop() noexcept;

 private:
  friend class Pool;
  using Moment = std::chrono::steady_clock::time_point;
  Lease(std::shared_ptr<PoolState> pool, std::unique_ptr<Connection> connection, Moment ends)
      : pool_(std::move(pool)), connection_(std::move(connection)), ends_(ends) {}
  void give_back() noexcept;

  std::shared_ptr<PoolState> pool_;
  std::unique_ptr<Connection> connection_;
  Moment ends_;  // then the connection is too old to be kept
};

class Pool {
 public:
  // Connects to nothing yet. Throws Error: invalid_argument for options that are none.
  Pool(Target target, PostgresOptions options, std::string tenant, Access access = Access::write);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A connection that answers, or did a moment ago. Waits for a free one for acquire_timeout.
  // Throws Error: timeout (the pool is exhausted), unsupported (after fork()); ServerError: denied,
  // unavailable, when no connection can be made.
  Lease acquire();

  // Throws Error: unsupported in the child of a fork(), as acquire() does.
  void refuse_inherited() const;

  // Of the server that the newest connection was made to.
  const ServerClock& clock() const noexcept;

  PoolStats stats() const;
  const Target& target() const noexcept;
  const PostgresOptions& options() const noexcept;
  const std::string& tenant() const noexcept;

 private:
  std::shared_ptr<PoolState> state_;
  std::unique_ptr<std::thread> keeper_;  // closes what is idle for too long, keeps pool_min open
};

}  // namespace actionhist::postgres
