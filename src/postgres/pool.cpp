#include "postgres/pool.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>

#include <unistd.h>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::postgres {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Moment = steady_clock::time_point;

// A connection that was used a moment ago is taken to be alive.
constexpr milliseconds trusted_idle{3'000};
// After a failure the keeper leaves the server alone for a while.
constexpr milliseconds first_connect_pause{250};
constexpr milliseconds longest_connect_pause{10'000};

struct Member {
  std::unique_ptr<Connection> connection;
  Moment ends;   // of its life
  Moment since;  // when it was last used
};

// A caller that waits for a connection, or for the right to make one.
struct Waiter {
  std::condition_variable woken;
  std::optional<Member> member;
  bool may_connect = false;
};

}  // namespace

struct PoolState {
  PoolState(Target t, PostgresOptions o, std::string n, Access a)
      : target(std::move(t)),
        options(std::move(o)),
        tenant(std::move(n)),
        access(a),
        owner(getpid()),
        pool_min(std::min(options.pool_min, options.pool_max)) {}

  const Target target;
  const PostgresOptions options;
  const std::string tenant;
  const Access access;
  const pid_t owner;
  const int pool_min;
  ServerClock clock;

  mutable std::mutex mutex;
  std::condition_variable keeper_woken;
  // All below is guarded by mutex. Where there are waiters, nothing is idle.
  std::deque<Member> idle;  // the longest idle first
  std::deque<Waiter*> waiters;
  PoolStats stats;
  // Idle connections from before this moment are asked for a sign of life: another one was found broken.
  Moment suspect_before{};
  bool closing = false;

  bool inherited() const noexcept { return getpid() != owner; }

  // REQUIRES: the mutex is not held.
  Member connect();
  bool usable(Member& member, bool trusted) const;
  void release(Member member, bool lent) noexcept;
  void keep();

  // REQUIRES: the mutex is held.
  void give_up_slot();
  bool trusted(const Member& member) const;
  void count_wait(Moment start);

  // REQUIRES: `lock` is held; both let it go for a while.
  void close_idle(std::unique_lock<std::mutex>& lock);
  bool fill(std::unique_lock<std::mutex>& lock);
};

// REQUIRES: stats.open counts the new connection already; not any more if this throws.
Member PoolState::connect() {
  try {
    auto connection = std::make_unique<Connection>(target, options, tenant, &clock, access);
    // Connections that were made together are not replaced together.
    thread_local std::minstd_rand random{std::random_device{}()};
    const double part = std::uniform_real_distribution<double>(0.9, 1.0)(random);
    const Moment now = steady_clock::now();
    std::lock_guard lock(mutex);
    ++stats.created;
    return {std::move(connection), now + std::chrono::duration_cast<milliseconds>(options.max_life * part),
            now};
  } catch (...) {
    std::lock_guard lock(mutex);
    ++stats.failed;
    give_up_slot();
    throw;
  }
}

// A connection is gone: the next in line may make another in its place.
void PoolState::give_up_slot() {
  if (waiters.empty()) {
    --stats.open;
    return;
  }
  waiters.front()->may_connect = true;
  waiters.front()->woken.notify_one();
  waiters.pop_front();
}

void PoolState::release(Member member, bool lent) noexcept {
  const bool healthy = member.connection->reset();
  std::unique_lock lock(mutex);
  if (lent) --stats.busy;
  member.since = steady_clock::now();
  if (!healthy) suspect_before = member.since;
  if (!healthy || closing || member.since >= member.ends) {
    ++stats.closed;
    give_up_slot();
    lock.unlock();
    keeper_woken.notify_one();
    return;
  }
  if (waiters.empty()) {
    idle.push_back(std::move(member));
    return;
  }
  Waiter& next = *waiters.front();
  waiters.pop_front();
  next.member = std::move(member);
  next.woken.notify_one();
}

bool PoolState::trusted(const Member& member) const {
  return member.since >= suspect_before && steady_clock::now() - member.since < trusted_idle;
}

// A trusted connection costs one system call here, another one a round trip.
bool PoolState::usable(Member& member, bool trusted) const {
  if (trusted && !member.connection->has_input()) return true;
  return member.connection->alive(target.connect_timeout(options));
}

void PoolState::count_wait(Moment start) {
  const auto waited = std::chrono::duration_cast<microseconds>(steady_clock::now() - start);
  stats.total_wait += waited;
  stats.longest_wait = std::max(stats.longest_wait, waited);
}

// Closes what has been idle or alive for too long.
void PoolState::close_idle(std::unique_lock<std::mutex>& lock) {
  const Moment now = steady_clock::now();
  std::vector<Member> done;
  for (auto at = idle.begin(); at != idle.end();) {
    const bool unused = stats.open > pool_min && now - at->since >= options.idle_timeout;
    if (!unused && now < at->ends) {
      ++at;
      continue;
    }
    done.push_back(std::move(*at));
    at = idle.erase(at);
    --stats.open;
    ++stats.closed;
  }
  lock.unlock();
  done.clear();
  lock.lock();
}

// Makes one connection if fewer than pool_min are open. False if that failed.
bool PoolState::fill(std::unique_lock<std::mutex>& lock) {
  if (stats.open >= pool_min) return true;
  ++stats.open;
  lock.unlock();
  bool made = true;
  try {
    release(connect(), false);
  } catch (const std::exception&) {
    made = false;  // counted as failed; whoever needs a connection meets the error
  }
  lock.lock();
  return made;
}

// The keeper's thread.
void PoolState::keep() {
  std::unique_lock lock(mutex);
  // Nothing is opened ahead for a pool that nobody uses.
  keeper_woken.wait(lock, [this] { return closing || stats.acquired > 0; });
  const milliseconds step =
      std::clamp(std::min(options.idle_timeout, options.max_life) / 4, milliseconds(20), milliseconds(1'000));
  milliseconds pause = first_connect_pause;
  while (!closing) {
    close_idle(lock);
    if (closing) break;
    if (!fill(lock)) {
      keeper_woken.wait_for(lock, pause, [this] { return closing; });
      pause = std::min(pause * 2, longest_connect_pause);
    } else {
      pause = first_connect_pause;
      if (stats.open >= pool_min && !closing) keeper_woken.wait_for(lock, step);
    }
  }
}

Pool::Pool(Target target, PostgresOptions options, std::string tenant, Access access) {
  validate(options);
  state_ = std::make_shared<PoolState>(std::move(target), std::move(options), std::move(tenant), access);
  keeper_ = std::make_unique<std::thread>([state = state_] { state->keep(); });
}

Pool::~Pool() {
  if (state_->inherited()) {
    // The thread is not here, and locks and connections are the parent's: they are left as they are.
    static_cast<void>(keeper_.release());
    static_cast<void>(new std::shared_ptr<PoolState>(std::move(state_)));
    return;
  }
  {
    std::lock_guard lock(state_->mutex);
    state_->closing = true;
  }
  state_->keeper_woken.notify_all();
  keeper_->join();
}

void Pool::refuse_inherited() const {
  if (!state_->inherited()) return;
  throw Error(ErrorCode::unsupported,
              "database: the pool was opened before fork(); open another History in the child");
}

Lease Pool::acquire() {
  refuse_inherited();
  PoolState& pool = *state_;
  const Moment start = steady_clock::now();
  std::unique_lock lock(pool.mutex);
  std::optional<Member> member;
  if (!pool.idle.empty()) {
    // The one used last: the others may become idle long enough to be closed.
    member = std::move(pool.idle.back());
    pool.idle.pop_back();
  } else if (pool.stats.open < pool.options.pool_max) {
    ++pool.stats.open;
  } else {
    Waiter waiter;
    pool.waiters.push_back(&waiter);
    ++pool.stats.waiting;
    const bool served = waiter.woken.wait_until(lock, start + pool.options.acquire_timeout, [&waiter] {
      return waiter.may_connect || waiter.member.has_value();
    });
    --pool.stats.waiting;
    if (!served) {
      std::erase(pool.waiters, &waiter);
      ++pool.stats.timeouts;
      pool.count_wait(start);
      throw Error(ErrorCode::timeout,
                  fmt::format("database: pool exhausted: all {} connections (pool_max) were busy for {} ms "
                              "(acquire_timeout); raise pool_max or use fewer threads",
                              pool.options.pool_max, pool.options.acquire_timeout.count()));
    }
    member = std::move(waiter.member);
  }
  const bool trusted = member && pool.trusted(*member);
  lock.unlock();

  if (member && !pool.usable(*member, trusted)) {
    // Another is made in its place.
    member.reset();
    lock.lock();
    pool.suspect_before = steady_clock::now();
    ++pool.stats.closed;
    lock.unlock();
  }
  if (!member) member = pool.connect();

  lock.lock();
  ++pool.stats.busy;
  pool.count_wait(start);
  if (++pool.stats.acquired == 1) pool.keeper_woken.notify_one();
  return Lease(state_, std::move(member->connection), member->ends);
}

PoolStats Pool::stats() const {
  if (state_->inherited()) return {};
  std::lock_guard lock(state_->mutex);
  return state_->stats;
}

const ServerClock& Pool::clock() const noexcept { return state_->clock; }
const Target& Pool::target() const noexcept { return state_->target; }
const PostgresOptions& Pool::options() const noexcept { return state_->options; }
const std::string& Pool::tenant() const noexcept { return state_->tenant; }

Lease& Lease::operator=(Lease&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  pool_ = std::move(other.pool_);
  connection_ = std::move(other.connection_);
  ends_ = other.ends_;
  return *this;
}

void Lease::give_back() noexcept {
  if (!connection_) return;
  if (pool_->inherited()) {
    connection_.reset();  // which touches nothing here
    return;
  }
  pool_->release({std::move(connection_), ends_, {}}, true);
}

void Lease::drop() noexcept {
  if (!connection_) return;
  connection_->close();
  give_back();
}

}  // namespace actionhist::postgres
