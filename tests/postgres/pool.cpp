// The pool: its bounds, its fairness, and what it does with connections that break.
#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <thread>

#include <sys/wait.h>

#include "postgres/pool.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

int pid_of(Connection& connection) { return connection.run("SELECT pg_backend_pid()").row(0).get<int>(); }

void terminate(int pid) {
  shared_server().run_sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 60000)");
}

}  // namespace

TEST_CASE("a pool lends what it has, and never more than pool_max", "[postgres]") {
  Pool pool(Target(shared_server().uri()), {.pool_max = 2, .pool_min = 0, .acquire_timeout = 50ms}, "t");
  CHECK(pool.stats().open == 0);
  int first_pid = 0;
  {
    Lease one = pool.acquire();
    first_pid = pid_of(*one);
    Lease two = pool.acquire();
    CHECK(pool.stats().busy == 2);
    CHECK(error_code_of([&] { pool.acquire(); }) == ErrorCode::timeout);
    const std::string text = error_text_of([&] { pool.acquire(); });
    CHECK(text.find("pool exhausted") != std::string::npos);
    CHECK(text.find("pool_max") != std::string::npos);
    CHECK(pool.stats().timeouts == 2);
    Lease moved = std::move(two);
    CHECK(pool.stats().busy == 2);
  }
  CHECK(pool.stats().busy == 0);
  CHECK(pool.stats().open == 2);
  CHECK(pool.stats().created == 2);
  CHECK(pid_of(*pool.acquire()) == first_pid);
  CHECK(pool.stats().longest_wait >= 50ms);
}

TEST_CASE("who waits first is served first", "[postgres]") {
  Pool pool(Target(shared_server().uri()), {.pool_max = 1, .pool_min = 0}, "t");
  std::vector<int> order;
  std::mutex mutex;
  std::vector<std::thread> threads;
  {
    Lease held = pool.acquire();
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        Lease lease = pool.acquire();
        std::lock_guard lock(mutex);
        order.push_back(i);
      });
      REQUIRE(wait_until([&] { return pool.stats().waiting == i + 1; }));
    }
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(pool.stats().created == 1);
}

TEST_CASE("many threads share few connections", "[postgres]") {
  Pool pool(Target(shared_server().uri()), {.pool_max = 4}, "t");
  std::atomic<int> done{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        Lease lease = pool.acquire();
        if (lease->run("SELECT $1 + $2", Parameters(t, i)).row(0).get<int>() == t + i) ++done;
        if (pool.stats().open > 4) exceeded = true;
        if (i % 10 == 9) lease.drop();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(done == 16 * 25);
  CHECK_FALSE(exceeded);
  CHECK(pool.stats().busy == 0);
  CHECK(pool.stats().acquired == 16 * 25);
}

TEST_CASE("an open transaction does not go back into the pool", "[postgres]") {
  Pool pool(Target(fresh_database(shared_server())), {.pool_max = 1, .pool_min = 0}, "t");
  pool.acquire()->run("CREATE TABLE public.t (n int8)");
  pool.acquire()->run(std::array{Call{"BEGIN"}, Call{"INSERT INTO public.t VALUES (1)"}});
  Lease next = pool.acquire();
  CHECK_FALSE(next->in_transaction());
  CHECK(next->run("SELECT count(*) FROM public.t").row(0).get<std::int64_t>() == 0);
  CHECK(pool.stats().created == 1);
}

TEST_CASE("a connection that the server has ended is replaced before it is lent", "[postgres]") {
  Pool pool(Target(shared_server().uri()), {.pool_max = 3, .pool_min = 0}, "t");
  std::vector<int> pids;
  {
    std::vector<Lease> leases;
    for (int i = 0; i < 3; ++i) leases.push_back(pool.acquire());
    for (Lease& lease : leases) pids.push_back(pid_of(*lease));
  }
  for (const int pid : pids) terminate(pid);
  for (int i = 0; i < 3; ++i) {
    std::vector<Lease> leases;
    for (int j = 0; j < 3; ++j) {
      leases.push_back(pool.acquire());
      CHECK(std::find(pids.begin(), pids.end(), pid_of(*leases.back())) == pids.end());
    }
  }
  CHECK(pool.stats().closed == 3);
}

TEST_CASE("a connection that breaks while it is lent is not kept", "[postgres]") {
  Pool pool(Target(shared_server().uri()), {.pool_max = 1, .pool_min = 0}, "t");
  {
    Lease lease = pool.acquire();
    terminate(pid_of(*lease));
    CHECK_THROWS_AS(lease->run("SELECT 1"), ServerError);
  }
  CHECK(pool.stats().open == 0);
  CHECK(pool.acquire()->run("SELECT 1").rows() == 1);
}

TEST_CASE("idle connections are closed down to pool_min, and old ones are replaced", "[postgres]") {
  Pool pool(Target(shared_server().uri()), {.pool_max = 5, .pool_min = 2, .idle_timeout = 50ms}, "t");
  {
    std::vector<Lease> leases;
    for (int i = 0; i < 5; ++i) leases.push_back(pool.acquire());
  }
  CHECK(wait_until([&] { return pool.stats().open == 2; }));
  CHECK(pool.stats().closed >= 3);

  Pool mortal(Target(shared_server().uri()), {.pool_max = 2, .pool_min = 1, .max_life = 100ms}, "t");
  const int pid = pid_of(*mortal.acquire());
  CHECK(wait_until([&] { return mortal.stats().closed >= 1 && mortal.stats().open >= 1; }));
  CHECK(pid_of(*mortal.acquire()) != pid);
}

TEST_CASE("pool_min is opened once the pool is used", "[postgres]") {
  Pool pool(Target(shared_server().uri()), {.pool_max = 5, .pool_min = 3}, "t");
  CHECK(pool.stats().open == 0);
  pool.acquire();
  CHECK(wait_until([&] { return pool.stats().open == 3; }));
}

TEST_CASE("when no connection can be made, everybody who waits is told why", "[postgres]") {
  Pool pool(Target("postgresql://app:secret-word@/x?host=/nowhere"), {.pool_max = 1}, "t");
  std::atomic<int> told{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      if (error_code_of([&] { pool.acquire(); }) == ErrorCode::unavailable) ++told;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(told == 4);
  CHECK(pool.stats().failed == 4);
  CHECK(pool.stats().open == 0);
}

TEST_CASE("in the child of a fork the pool refuses, and the parent's connections go on", "[postgres]") {
  auto pool = std::make_unique<Pool>(Target(shared_server().uri()), PostgresOptions{.pool_max = 2}, "t");
  auto lent = std::make_unique<Lease>(pool->acquire());
  const int pid = pid_of(**lent);
  pool->acquire();
  const pid_t child = fork();
  if (child == 0) {
    int faults = 0;
    if (error_code_of([&] { pool->acquire(); }) != ErrorCode::unsupported) faults |= 1;
    if (error_code_of([&] { (*lent)->run("SELECT 1"); }) != ErrorCode::unsupported) faults |= 2;
    pool->stats();
    lent.reset();
    pool.reset();
    _exit(faults);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(pid_of(**lent) == pid);
  CHECK(pool->acquire()->run("SELECT 1").rows() == 1);
  CHECK(pool->stats().closed == 0);
}

TEST_CASE("options that make no sense name their field", "[postgres]") {
  const auto text = [](const PostgresOptions& options) { return error_text_of([&] { validate(options); }); };
  CHECK_NOTHROW(validate(PostgresOptions{}));
  CHECK(text({.schema = "a\"b"}).starts_with("schema"));
  CHECK(text({.schema = ""}).starts_with("schema"));
  CHECK(text({.schema = std::string(64, 'a')}).starts_with("schema"));
  CHECK(text({.schema = "pg_mine"}).starts_with("schema"));
  CHECK(text({.schema = "1a"}).starts_with("schema"));
  CHECK(text({.pool_max = 0}).starts_with("pool_max"));
  CHECK(text({.pool_min = -1}).starts_with("pool_min"));
  CHECK(text({.connect_timeout = 0ms}).starts_with("connect_timeout"));
  CHECK(text({.lock_timeout = -1ms}).starts_with("lock_timeout"));
  CHECK(text({.statement_timeout = 24h * 60}).starts_with("statement_timeout"));
}
