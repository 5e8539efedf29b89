// Servers that are killed, restarted, hang, are full or out of connections.
#include <catch2/catch.hpp>

#include <array>
#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "postgres/engine.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

template <class Work>
ServerError server_error_of(Work&& work) {
  try {
    work();
  } catch (const ServerError& error) {
    return error;
  }
  throw std::runtime_error("no ServerError");
}

bool mentions(const std::exception& error, std::string_view text) {
  return std::string_view(error.what()).find(text) != std::string_view::npos;
}

// Whether the pool's server answers by now.
bool back(Pool& pool) {
  return wait_until([&] {
    try {
      return pool.acquire()->run("SELECT 1").rows() == 1;
    } catch (const ServerError& error) {
      CHECK(error.failure() != Failure::permanent);
      return false;
    }
  });
}

}  // namespace

TEST_CASE("what was committed before the server was killed is there after it", "[postgres]") {
  PostgresServer server;
  Pool pool(Target(fresh_database(server)), {.pool_max = 4}, "t");
  pool.acquire()->run("CREATE TABLE public.t (n int8 PRIMARY KEY)");
  for (int round = 0; round < 3; ++round) {
    std::atomic<bool> down{false};
    std::mutex mutex;
    std::set<std::int64_t> acknowledged;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (std::int64_t i = 0; !down; ++i) {
          const std::int64_t number = round * 1'000'000'000LL + t * 1'000'000LL + i;
          try {
            pool.acquire()->run("INSERT INTO public.t VALUES ($1)", Parameters(number));
            std::lock_guard lock(mutex);
            acknowledged.insert(number);
          } catch (const ServerError& error) {
            if (!error.retryable()) throw;
            return;
          }
        }
      });
    }
    wait_until([&] {
      std::lock_guard lock(mutex);
      return acknowledged.size() > 50;
    });
    if (round % 2 == 0) {
      server.kill9();
    } else {
      server.stop(PostgresServer::Stop::immediate);
    }
    down = true;
    for (std::thread& thread : threads) thread.join();
    server.start();
    REQUIRE(back(pool));
    std::set<std::int64_t> stored;
    const Result result = pool.acquire()->run("SELECT n FROM public.t WHERE n >= $1",
                                              Parameters(std::int64_t{round * 1'000'000'000LL}));
    for (Reader row(result); row.next();) stored.insert(row.get<std::int64_t>());
    CHECK(std::includes(stored.begin(), stored.end(), acknowledged.begin(), acknowledged.end()));
  }
  CHECK(pool.stats().busy == 0);
}

TEST_CASE("what a server that hangs does not answer is asked again, however long it took to give it up",
          "[postgres]") {
  PostgresServer server({.fsync = false});
  PostgresOptions options;
  options.pool_min = 0;
  options.statement_timeout = 100ms;  // and five seconds more until the client leaves
  options.retry_for = 4'500ms;
  postgres::Engine engine(postgres::Target(server.superuser_uri()), options, "t");
  engine.run("SELECT 1");
  server.freeze();
  std::string error;
  std::thread asking([&] { error = error_text_of([&] { engine.run("SELECT 1"); }); });
  CHECK(wait_until([&] { return engine.pool_stats().closed + engine.pool_stats().failed > 0; }));
  server.thaw();
  asking.join();
  CHECK(error.empty());
}

TEST_CASE("a server that hangs is unavailable, which health() tells soon and a proposal may be allowed for",
          "[postgres]") {
  PostgresServer server({.fsync = false});
  Options options{.tenant = "t", .semantic = false, .on_unavailable = OnUnavailable::allow};
  options.postgres.pool_min = 0;
  options.postgres.connect_timeout = 1s;
  History patient = open(server.superuser_uri(), options);
  options.postgres.statement_timeout = options.postgres.retry_for = 100ms;
  History history = open(server.superuser_uri(), options);
  Action action = restart("a");
  action.action_timestamp.reset();
  CHECK(patient.health().ready);
  CHECK(history.health().ready);
  server.freeze();
  const auto before = std::chrono::steady_clock::now();
  CHECK_FALSE(patient.health().ready);
  // A statement is waited for 35 s.
  CHECK(std::chrono::steady_clock::now() - before < 25s);
  const Verdict verdict = history.propose(action);
  CHECK(verdict.allowed());
  CHECK_FALSE(verdict.trace);
  server.thaw();
  // What was sent may have been stored after all; then it is found by its id.
  CHECK(patient.propose(action).allowed());
  CHECK(patient.history({}).traces.size() == 1);
}

TEST_CASE("a server that shuts down ends its sessions, and the pool finds it again", "[postgres]") {
  PostgresServer server({.fsync = false});
  Pool pool(Target(server.uri()), {.pool_max = 3}, "t");
  {
    Lease one = pool.acquire();
    Lease two = pool.acquire();
    one->run(std::array{Call{"BEGIN"}, Call{"SELECT 1"}});
    server.stop(PostgresServer::Stop::fast);
    const ServerError error = server_error_of([&] { one->run("COMMIT"); });
    CHECK(error.failure() == Failure::connection_lost);
    CHECK(error.code() == ErrorCode::unavailable);
  }
  const ServerError error = server_error_of([&] { pool.acquire(); });
  CHECK(error.code() == ErrorCode::unavailable);
  CHECK(error.failure() == Failure::transient);
  CHECK(mentions(error, server.socket_folder()));
  server.start();
  CHECK(back(pool));
}

TEST_CASE("a server without free connections says what to change", "[postgres]") {
  PostgresServer server(
      {.fsync = false, .settings = {"max_connections = 8", "superuser_reserved_connections = 3"}});
  std::vector<std::unique_ptr<Connection>> taken;
  const ServerError error = server_error_of([&] {
    for (int i = 0; i < 9; ++i) {
      taken.push_back(std::make_unique<Connection>(Target(server.uri()), PostgresOptions{}, "t"));
    }
  });
  CHECK(error.sqlstate() == "53300");
  CHECK(error.failure() == Failure::transient);
  CHECK(mentions(error, "pool_max"));
}

TEST_CASE("a process that may open no more files is told so, and leaves none open", "[postgres]") {
  const std::string uri = shared_server().uri();
  const auto open_files = [] {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return std::distance(begin(files), end(files));
  };
  Connection(Target(uri), {}, "t");
  const auto before = open_files();
  rlimit usual{};
  getrlimit(RLIMIT_NOFILE, &usual);
  int failed = 0;
  for (rlim_t spare = 0; spare < 12; ++spare) {
    // What is taken leaves gaps below its highest number, so this counts from a file that is opened now.
    const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::close(next);
    rlimit tight = usual;
    tight.rlim_cur = static_cast<rlim_t>(next) + spare;
    setrlimit(RLIMIT_NOFILE, &tight);
    ErrorCode code = ErrorCode::unavailable;
    try {
      Connection(Target(uri), {}, "t");
    } catch (const Error& error) {
      code = error.code();
      ++failed;
    }
    setrlimit(RLIMIT_NOFILE, &usual);
    CHECK(code == ErrorCode::unavailable);
    CHECK(open_files() == before);
  }
  CHECK(failed > 0);
  CHECK(failed < 12);
}

TEST_CASE("a transaction that stands still too long is ended by the server", "[postgres]") {
  Connection connection(Target(shared_server().uri()), {.idle_in_transaction_timeout = 50ms}, "t");
  connection.run("BEGIN");
  REQUIRE(wait_until([&] { return connection.has_input(); }));
  const ServerError error = server_error_of([&] { connection.run("COMMIT"); });
  CHECK(error.failure() == Failure::connection_lost);
  CHECK(connection.broken());
}

TEST_CASE("a full disk of the server is told, and nothing is half stored", "[postgres]") {
  if (!can_mount()) {
    WARN("not allowed to mount a small disk: not tested here");
    return;
  }
  PostgresServer server({.fsync = false, .small_disk = "8m"});
  Connection connection(Target(fresh_database(server)), {}, "t");
  connection.run_script(
      "CREATE TABLE public.t (w text) TABLESPACE small;"
      "CREATE TABLE public.ballast TABLESPACE small AS SELECT repeat('x', 500) FROM generate_series(1, 4000)");
  connection.run("INSERT INTO public.t VALUES ('first')");
  constexpr std::string_view fill =
      "INSERT INTO public.t SELECT repeat(md5(g::text), 30) FROM generate_series(1, 20000) g";
  const ServerError error = server_error_of([&] { connection.run(fill); });
  CHECK(error.sqlstate() == "53100");
  CHECK(error.code() == ErrorCode::unavailable);
  CHECK_FALSE(error.retryable());
  CHECK(mentions(error, "disk of the database server is full"));
  CHECK(connection.run("SELECT count(*) FROM public.t").row(0).get<std::int64_t>() == 1);
  connection.run("DROP TABLE public.ballast");
  connection.run("INSERT INTO public.t VALUES ('second')");
  CHECK(connection.run("SELECT count(*) FROM public.t").row(0).get<std::int64_t>() == 2);
}
