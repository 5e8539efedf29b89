// The larger engine: statements and transactions over a pool of connections, with retries. Thread-safe.
// What fails for a passing reason (a broken connection, a deadlock, a primary that moved) is run again, with
// jitter, until options().retry_for after the first failure. Everything that is run may therefore run twice: each
// statement of the stores is written so that the second run finds what the first one did.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <actionhist/postgres_options.hpp>
#include <actionhist/time.hpp>

#include "postgres/connection.hpp"
#include "postgres/group_commit.hpp"
#include "postgres/guard_cache.hpp"
#include "postgres/known_resources.hpp"
#include "postgres/pool.hpp"
#include "postgres/shared_insert.hpp"

namespace actionhist::postgres {

class Engine {
 public:
  Engine(Target target, PostgresOptions options, std::string tenant, Access access = Access::write);

  // One round trip, and one transaction unless this thread has one open: all of `calls` or none.
  std::vector<Result> run(std::vector<Call> calls);
  Result run(std::string_view sql, Parameters parameters = {}, Plan plan = Plan::kept);

  // Asks one statement that changes nothing: a standby that is fresh enough, if options().read_standbys, and
  // otherwise as run() does. Inside a transaction always as run() does.
  Result read(std::string_view sql, Parameters parameters = {}, Plan plan = Plan::kept);

  // Waits for a server that answers, as long as a connection may take to be made.
  // Throws ServerError, at once for what does not pass.
  void await();

  // The same as run(), but a database that does not answer for as long as connecting may take is an error at once.
  Result try_now(std::string_view sql, Parameters parameters = {});

  // Sends `call` with the next round trip of this thread's transaction, its commit at the latest. Its answer
  // is not looked at; its error fails that round trip. REQUIRES: in_transaction().
  void put_off(Call call);

  // Whether calls may be run or put off that fail where what they assume does not hold, see is_taken: the
  // transaction runs again then, and this is false.
  bool assuming() const noexcept;

  // As Repository::unanswered.
  bool unanswered() const noexcept;

  // Whether this thread's transaction may still decide on what is read without a lock: nothing has been run in it,
  // and it has not been tried in vain.
  bool may_read_ahead() const noexcept;
  // Runs calls that only read, before the transaction begins unless it has begun.
  // REQUIRES: in_transaction().
  std::vector<Result> read_ahead(std::vector<Call> calls);
  // Keeps the other decisions of this process off these scopes until the transaction's order is settled. Not once
  // anything has been run in it: it may hold what the others wait for.
  void wait_for_turn(const std::vector<std::string>& scopes);
  // From now on the transaction stands on `premise`: one action may be stored with its commit, together with those of
  // others, and any other statement makes the transaction run again, with locks.
  // REQUIRES: may_read_ahead().
  void presume(Premise premise);
  // Whether this thread's transaction stands on a premise.
  bool presuming() const noexcept;
  // Stores the action with the commit. REQUIRES: presuming().
  void store_with_commit(const RecentTrace& action);
  // Keeps what is remembered of the action's scopes in step with its new outcome, which the transaction is going to
  // store. REQUIRES: in_transaction().
  void expect_change(const Trace& action);

  // Runs `work` as one transaction, again after a failure that passes. Joins the one that is open.
  void transaction(const std::function<void()>& work);

  // Runs `work` with a connection of its own, outside any transaction, without retries.
  void apart(const std::function<void(Connection&)>& work);

  // Runs calls that store actions of `times`, whose months have a partition then. Inside a transaction a month
  // that is missing makes the transaction run again, with that month.
  std::vector<Result> store(std::span<const TimePoint> times, const std::vector<Call>& calls);

  // The same once, for what runs it again. REQUIRES: not in_transaction().
  std::vector<Result> store_once(std::span<const TimePoint> times, const std::vector<Call>& calls);
  // Stores actions with `send`, perhaps together with those of other threads; runs it again as store() does.
  void share(SharedInsert::Rows rows, const SharedInsert::Send& send);

  // Sees to it that actions of these times can be stored, as store() does.
  void ensure_months(std::span<const TimePoint> times);

  bool in_transaction() const noexcept;
  const std::string& tenant() const noexcept { return tenant_; }
  const PostgresOptions& options() const noexcept { return options_; }
  // How long to wait inside this process for what another thread holds: lock_timeout, and a day where it has no limit.
  std::chrono::milliseconds patience() const noexcept;
  const Target& target() const noexcept { return target_; }
  KnownResources& known_resources() noexcept { return known_resources_; }
  GuardCache& guard_cache() noexcept { return guard_cache_; }
  GroupCommit& group_commit() noexcept { return group_commit_; }
  // The primary's clock. REQUIRES: await() has returned once.
  TimePoint now() const { return pool_.clock().now(); }
  PoolStats pool_stats() const { return pool_.stats(); }

 private:
  class Transaction;
  // Thrown inside a transaction to begin it anew once `times` have a partition.
  struct MissingMonths {
    std::vector<TimePoint> times;
  };

  // Thrown inside a transaction to begin it anew with locks, because it is about more than storing an action, or
  // because what it counted on has not come true.
  struct NeedsLock {
    bool unanswered = false;  // it may have been committed
  };

  template <class Work>
  auto retrying(std::chrono::milliseconds limit, Work&& work) -> decltype(work());
  template <class Work>
  auto retrying(Work&& work) -> decltype(work()) {
    return retrying(options_.retry_for, std::forward<Work>(work));
  }
  std::optional<Result> ask_standby(const Call& call);
  std::vector<Result> run_alone(const std::vector<Call>& calls);
  void commit_together(Transaction& transaction);
  void make_months(std::span<const TimePoint> times);
  void forget_months();
  Transaction* current() const noexcept;

  Target target_;
  PostgresOptions options_;
  std::string tenant_;
  Pool pool_;
  std::unique_ptr<Pool> standbys_;                       // null unless options_.read_standbys
  std::atomic<std::int64_t> standbys_shunned_until_{0};  // ticks of the steady clock; after a failure
  std::atomic<int> standby_failures_{0};                 // since one has answered
  KnownResources known_resources_;
  GuardCache guard_cache_;
  GroupCommit group_commit_{guard_cache_};
  SharedInsert shared_insert_;
  std::mutex months_mutex_;
  std::set<std::chrono::sys_days> months_;  // that have a partition; guarded by months_mutex_
};

}  // namespace actionhist::postgres
