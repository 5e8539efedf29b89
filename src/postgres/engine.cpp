#include "postgres/engine.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <thread>

#include <fmt/chrono.h>

#include <actionhist/error.hpp>

#include "postgres/fresh_insert.hpp"
#include "postgres/server_error.hpp"

namespace actionhist::postgres {
namespace {

using namespace std::chrono_literals;

constexpr auto first_pause = 5ms;
constexpr auto longest_pause = 1'000ms;
// After a standby could not be asked, the primary is, for so long; twice as long after each further time.
constexpr std::chrono::seconds shunned_for = 2s;
constexpr std::chrono::seconds longest_shunned_for = 1min;
// For a connection to it, and for its first answer, since the primary may be faster.
constexpr std::chrono::milliseconds standby_patience = 1s;

// Doubles with each attempt; the jitter keeps agents that failed together from returning together.
std::chrono::milliseconds pause_before(int attempt) {
  thread_local std::minstd_rand random(std::random_device{}());
  const auto ceiling =
      std::min<std::int64_t>(longest_pause.count(), first_pause.count() << std::min(attempt, 12));
  return std::chrono::milliseconds(std::uniform_int_distribution<std::int64_t>(ceiling / 2, ceiling)(random));
}

std::chrono::sys_days month_of(TimePoint time) {
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return std::chrono::sys_days(day.year() / day.month() / 1);
}

// As one transaction by themselves, behind what a pooled connection needs first.
std::vector<Result> run_on(Connection& connection, const std::vector<Call>& calls) {
  if (connection.context().empty()) return connection.run(calls);
  std::vector<Call> all = connection.context();
  all.insert(all.end(), calls.begin(), calls.end());
  std::vector<Result> results = connection.run(all);
  results.erase(results.begin(), results.end() - static_cast<std::ptrdiff_t>(calls.size()));
  return results;
}

}  // namespace

// A connection from BEGIN to the end. BEGIN goes out with the first statement; what is put off goes out with
// the next, and needs no BEGIN when that is the end. Rolls back unless committed: the lease does, when it gives the connection back.
class Engine::Transaction {
 public:
  Transaction(Engine& engine, bool assuming, bool unanswered)
      : engine_(engine), outer_(newest), assuming_(assuming), unanswered_(unanswered) {
    newest = this;
  }
  ~Transaction() { newest = outer_; }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  void put_off(Call call) {
    if (premise_) throw NeedsLock{};
    waiting_.push_back(std::move(call));
  }

  bool untouched() const noexcept { return !begun_ && waiting_.empty(); }
  // The connection goes back, so that none is held while others are waited for.
  std::vector<Result> read_ahead(std::vector<Call> calls) {
    if (!untouched()) return run(std::move(calls));
    std::vector<Result> results = run_on(connection(), calls);
    lease_.reset();
    return results;
  }
  void wait_for_turn(const std::vector<std::string>& scopes) {
    // Whoever holds it is in a few round trips; beyond that the database's lock decides.
    if (untouched() && turn_.empty()) turn_ = engine_.guard_cache_.take_turn(scopes, engine_.patience());
  }
  void end_turn() noexcept { turn_.clear(); }
  void presume(Premise premise) { premise_ = std::move(premise); }
  Premise* premise() noexcept { return premise_ ? &*premise_ : nullptr; }

  void expect_change(const Trace& action) {
    GuardCache& cache = engine_.guard_cache_;
    std::vector<std::string> scopes = scopes_of(action);
    if (!untouched() || change_) {
      cache.forget(scopes);
      return;
    }
    wait_for_turn(scopes);
    // What is on its way would fail if the change came before it.
    engine_.group_commit_.await(scopes, {}, engine_.patience());
    auto versions = cache.versions(scopes);
    change_ = {action, std::move(scopes), std::move(versions)};
  }

  std::vector<Result> run(std::vector<Call> calls) {
    if (premise_) throw NeedsLock{};
    const std::size_t wanted = calls.size();
    std::vector<Call> all;
    if (!begun_) {
      all.push_back({"BEGIN ISOLATION LEVEL READ COMMITTED", {}, Plan::kept});
      const auto& context = connection().context();
      all.insert(all.end(), context.begin(), context.end());
      begun_ = true;
    }
    std::ranges::move(waiting_, std::back_inserter(all));
    waiting_.clear();
    std::ranges::move(calls, std::back_inserter(all));
    std::vector<Result> results = connection().run(all);
    results.erase(results.begin(), results.end() - static_cast<std::ptrdiff_t>(wanted));
    return results;
  }

  void commit() {
    if (begun_) {
      std::vector<Call> last;
      last.push_back({"COMMIT", {}, Plan::kept});
      run(std::move(last));
    } else if (!waiting_.empty()) {
      // A pipeline is a transaction by itself.
      run_on(connection(), waiting_);
    }
    if (change_) engine_.guard_cache_.change(change_->action, change_->scopes, change_->versions);
  }

  bool assuming() const noexcept { return assuming_; }
  bool unanswered() const noexcept { return unanswered_; }
  bool of(const Engine& engine) const noexcept { return &engine_ == &engine; }
  Transaction* outer() const noexcept { return outer_; }

  // The innermost transaction of this thread. Transactions of two engines may be nested.
  static thread_local Transaction* newest;

 private:
  Connection& connection() {
    if (!lease_) lease_ = engine_.pool_.acquire();
    return **lease_;
  }

  Engine& engine_;
  Transaction* outer_;
  GuardCache::Turn turn_;
  std::optional<Lease> lease_;  // from BEGIN on; waiting for a turn needs none
  // An action's new outcome, and what was remembered of its scopes before.
  struct Change {
    Trace action;
    std::vector<std::string> scopes;
    std::vector<std::optional<std::int64_t>> versions;
  };

  std::optional<Premise> premise_;
  std::optional<Change> change_;
  std::vector<Call> waiting_;
  bool begun_ = false;
  const bool assuming_;
  const bool unanswered_;
};

thread_local Engine::Transaction* Engine::Transaction::newest = nullptr;

Engine::Engine(Target target, PostgresOptions options, std::string tenant, Access access)
    : target_(std::move(target)),
      options_(std::move(options)),
      tenant_(std::move(tenant)),
      pool_(target_, options_, tenant_, access) {
  if (options_.read_standbys) {
    PostgresOptions brief = options_;
    brief.acquire_timeout = std::min(brief.acquire_timeout, standby_patience);
    brief.connect_timeout = std::min(brief.connect_timeout, standby_patience);
    standbys_ = std::make_unique<Pool>(target_.standbys(), std::move(brief), tenant_, Access::read);
  }
}

Engine::Transaction* Engine::current() const noexcept {
  for (Transaction* each = Transaction::newest; each; each = each->outer()) {
    if (each->of(*this)) return each;
  }
  return nullptr;
}

std::chrono::milliseconds Engine::patience() const noexcept {
  return options_.lock_timeout > 0ms ? options_.lock_timeout : 24h;
}

bool Engine::in_transaction() const noexcept { return current() != nullptr; }

template <class Work>
auto Engine::retrying(std::chrono::milliseconds limit, Work&& work) -> decltype(work()) {
  // From the first failure on: a server that hangs may take longer to be given up than is retried for.
  std::optional<std::chrono::steady_clock::time_point> deadline;
  for (int attempt = 0;; ++attempt) {
    std::optional<std::vector<TimePoint>> missing;
    try {
      return work();
    } catch (const MissingMonths& months) {
      missing = months.times;
    } catch (const ServerError& error) {
      const auto pause = pause_before(attempt);
      const auto now = std::chrono::steady_clock::now();
      if (!deadline) deadline = now + limit;
      if (!error.retryable() || now + pause > *deadline) throw;
      // Somebody took a partition away that was known to be there, or has just made one that is not seen yet.
      if (error.failure() == Failure::no_partition) forget_months();
      std::this_thread::sleep_for(pause);
    }
    if (missing) ensure_months(*missing);
  }
}

std::vector<Result> Engine::run_alone(const std::vector<Call>& calls) {
  Lease lease = pool_.acquire();
  return run_on(*lease, calls);
}

std::vector<Result> Engine::run(std::vector<Call> calls) {
  if (Transaction* open = current()) return open->run(std::move(calls));
  return retrying([&] { return run_alone(calls); });
}

Result Engine::run(std::string_view sql, Parameters parameters, Plan plan) {
  std::vector<Call> calls;
  calls.push_back({sql, std::move(parameters), plan});
  return std::move(run(std::move(calls)).front());
}

Result Engine::try_now(std::string_view sql, Parameters parameters) {
  std::vector<Call> calls;
  calls.push_back({sql, std::move(parameters), Plan::kept});
  if (Transaction* open = current()) return std::move(open->run(std::move(calls)).front());
  Lease lease = pool_.acquire();
  lease->set_patience(target_.connect_timeout(options_));
  return std::move(run_on(*lease, calls).front());
}

void Engine::await() {
  retrying(target_.connect_timeout(options_), [this] { pool_.acquire(); });
}

Result Engine::read(std::string_view sql, Parameters parameters, Plan plan) {
  if (standbys_ && !in_transaction()) {
    if (auto answer = ask_standby({sql, parameters, plan})) return std::move(*answer);
  }
  return run(sql, std::move(parameters), plan);
}

// Absent when no standby answers, or none that is fresh: the primary does then.
std::optional<Result> Engine::ask_standby(const Call& call) {
  // What was replayed last is of that age at most. Where nothing is written, a standby looks old; then the primary
  // has time.
  constexpr std::string_view fresh =
      "SELECT pg_is_in_recovery() AND pg_last_xact_replay_timestamp() >= now() - make_interval(secs => $1)";
  const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch().count(); };
  if (now() < standbys_shunned_until_) return std::nullopt;
  try {
    Lease lease = standbys_->acquire();
    lease->set_first_patience(standby_patience);
    std::vector<Call> calls = lease->context();
    calls.push_back({fresh, Parameters(std::chrono::duration<double>(options_.max_staleness).count())});
    calls.push_back(call);
    std::vector<Result> results = lease->run(calls);
    standby_failures_ = 0;
    if (results[results.size() - 2].row(0).get<std::optional<bool>>().value_or(false))
      return std::move(results.back());
    return std::nullopt;
  } catch (const Error& error) {
    const auto* answer = dynamic_cast<const ServerError*>(&error);
    const bool about_query = answer && !answer->retryable() && answer->code() != ErrorCode::unsupported &&
                             answer->code() != ErrorCode::denied;
    if (about_query) throw;
    // None is there or lets us in, all its connections are lent, or it has cancelled the query for what it has to
    // replay.
    if (now() < standbys_shunned_until_) return std::nullopt;  // another thread has found out
    const auto pause = std::min(longest_shunned_for, shunned_for * (1 << std::min(standby_failures_++, 5)));
    standbys_shunned_until_ = now() + std::chrono::steady_clock::duration(pause).count();
    return std::nullopt;
  }
}

void Engine::put_off(Call call) { current()->put_off(std::move(call)); }

void Engine::transaction(const std::function<void()>& work) {
  if (in_transaction()) return work();
  bool unanswered = false;
  const auto run_once = [&](bool assuming) {
    Transaction transaction(*this, assuming, unanswered);
    try {
      work();
      if (transaction.premise()) {
        commit_together(transaction);
      } else {
        transaction.commit();
      }
    } catch (const ServerError& error) {
      unanswered = unanswered || error.failure() == Failure::connection_lost;
      if (transaction.premise() && is_taken(error)) guard_cache_.lost(transaction.premise()->scopes);
      throw;
    } catch (const NeedsLock& need) {
      unanswered = unanswered || need.unanswered;
      throw;
    }
  };
  try {
    return retrying([&] { run_once(true); });
  } catch (const NeedsLock&) {
  } catch (const ServerError& error) {
    if (!is_taken(error)) throw;
    known_resources_.forget();
  }
  retrying([&] { run_once(false); });
}

void Engine::commit_together(Transaction& transaction) {
  const Premise& premise = *transaction.premise();
  // What was refused, too, has to be seen under the lock.
  if (!premise.action) throw NeedsLock{};
  const SharedInsert::Send send = [this](SharedInsert::Rows actions, const GuardedHeads* heads) {
    std::vector<Call> calls;
    add_fresh_insert(calls, tenant_, actions, known_resources_, heads);
    run_alone(calls);
    for (const Trace* action : actions) known_resources_.add(*action, heads->server);
  };
  const auto fate = group_commit_.commit(
      premise, [&] { transaction.end_turn(); },
      [&](SharedInsert::Rows actions, const GuardedHeads& heads) {
        shared_insert_.store(actions, &heads, send);
      });
  if (fate != GroupCommit::Fate::stored) throw NeedsLock{fate == GroupCommit::Fate::unknown};
}

bool Engine::unanswered() const noexcept {
  const Transaction* open = current();
  return open && open->unanswered();
}

bool Engine::may_read_ahead() const noexcept {
  const Transaction* open = current();
  return open && open->assuming() && open->untouched();
}

std::vector<Result> Engine::read_ahead(std::vector<Call> calls) {
  return current()->read_ahead(std::move(calls));
}

void Engine::wait_for_turn(const std::vector<std::string>& scopes) { current()->wait_for_turn(scopes); }

void Engine::presume(Premise premise) { current()->presume(std::move(premise)); }

bool Engine::presuming() const noexcept {
  Transaction* open = current();
  return open && open->premise();
}

void Engine::expect_change(const Trace& action) { current()->expect_change(action); }

void Engine::store_with_commit(const RecentTrace& action) {
  Premise& premise = *current()->premise();
  if (premise.action) throw NeedsLock{};
  premise.action = action;
}

bool Engine::assuming() const noexcept {
  const Transaction* open = current();
  return open && open->assuming();
}

void Engine::apart(const std::function<void(Connection&)>& work) {
  Lease lease = pool_.acquire();
  work(*lease);
}

std::vector<Result> Engine::store(std::span<const TimePoint> times, const std::vector<Call>& calls) {
  if (Transaction* open = current()) {
    ensure_months(times);
    return open->run(calls);
  }
  // Both again, should the month go between the two.
  return retrying([&] { return store_once(times, calls); });
}

std::vector<Result> Engine::store_once(std::span<const TimePoint> times, const std::vector<Call>& calls) {
  ensure_months(times);
  return run_alone(calls);
}

void Engine::share(SharedInsert::Rows rows, const SharedInsert::Send& send) {
  // In a child of the process nobody is left to wake whoever waits for another thread.
  pool_.refuse_inherited();
  retrying([&] { shared_insert_.store(rows, nullptr, send); });
}

void Engine::ensure_months(std::span<const TimePoint> times) {
  std::vector<TimePoint> missing;
  {
    std::lock_guard lock(months_mutex_);
    std::chrono::sys_days last{};
    for (const TimePoint time : times) {
      const auto month = month_of(time);
      if (month == last && last != std::chrono::sys_days{}) continue;
      last = month;
      if (!months_.contains(month)) missing.push_back(time);
    }
  }
  if (missing.empty()) return;
  // A second connection, while this one is held, might be one too many for the pool.
  if (in_transaction()) throw MissingMonths{std::move(missing)};
  retrying([&] { make_months(missing); });
}

void Engine::make_months(std::span<const TimePoint> times) {
  std::set<std::chrono::sys_days> months;
  for (const TimePoint time : times) months.insert(month_of(time));
  for (const std::chrono::sys_days month : months) {
    std::vector<Call> calls;
    calls.push_back({"SELECT actionhist_ensure_month($1)", Parameters(TimePoint(month)), Plan::once});
    try {
      run_alone(std::move(calls));
    } catch (const ServerError& error) {
      if (error.code() != ErrorCode::denied) throw;
      throw Error(
          error.code(),
          fmt::format("action_timestamp: for {:%Y-%m} this role may neither find nor make a partition: {}",
                      fmt::gmtime(std::chrono::system_clock::time_point(month)), error.what()));
    }
    std::lock_guard lock(months_mutex_);
    months_.insert(month);
  }
}

void Engine::forget_months() {
  std::lock_guard lock(months_mutex_);
  months_.clear();
}

}  // namespace actionhist::postgres
