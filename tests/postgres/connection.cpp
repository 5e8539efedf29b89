// A session with a real server: pipelines, prepared statements, scripts, COPY, and what goes wrong.
#include <catch2/catch.hpp>

#include <array>
#include <thread>

#include <sys/socket.h>

#include "postgres/connection.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

Connection connect(const std::string& uri, const PostgresOptions& options = {}) {
  return Connection(Target(uri), options, "tenant-1");
}

std::int64_t number(Connection& connection, std::string_view sql) {
  return connection.run(sql).row(0).get<std::int64_t>();
}

template <class Work>
ServerError server_error_of(Work&& work) {
  try {
    work();
  } catch (const ServerError& error) {
    return error;
  }
  throw std::runtime_error("no ServerError");
}

int backend_pid(Connection& connection) {
  return static_cast<int>(number(connection, "SELECT pg_backend_pid()"));
}

}  // namespace

TEST_CASE("a session has its search path, its tenant and its time-outs", "[postgres]") {
  Connection connection = connect(shared_server().uri(), {.schema = "My_schema", .lock_timeout = 1234ms});
  const auto setting = [&](const std::string& name) {
    return connection.run("SELECT current_setting($1)", Parameters(name)).row(0).get<std::string>();
  };
  CHECK(setting("search_path") == "\"My_schema\", pg_temp");
  CHECK(setting("actionhist.tenant") == "tenant-1");
  CHECK(setting("statement_timeout") == "30s");
  CHECK(setting("lock_timeout") == "1234ms");
  CHECK(setting("idle_in_transaction_session_timeout") == "10s");
  CHECK(setting("client_encoding") == "UTF8");
  CHECK(setting("application_name") == "actionhist");
  CHECK_FALSE(connection.pooled());
  CHECK_FALSE(connection.standby());
  CHECK(connection.context().empty());
  CHECK(connection.server_version() >= 150'000);
}

TEST_CASE("the calls of a pipeline happen all or not at all, and their results come in order", "[postgres]") {
  Connection connection = connect(fresh_database(shared_server()));
  connection.run("CREATE TABLE public.t (n int8 PRIMARY KEY)");
  constexpr std::string_view insert = "INSERT INTO public.t VALUES ($1) RETURNING n * 10";
  const std::vector<Call> good = {
      {insert, Parameters(1)}, {insert, Parameters(2)}, {"SELECT count(*) FROM public.t"}};
  const std::vector<Result> results = connection.run(good);
  REQUIRE(results.size() == 3);
  CHECK(results[0].row(0).get<std::int64_t>() == 10);
  CHECK(results[1].row(0).get<std::int64_t>() == 20);
  CHECK(results[2].row(0).get<std::int64_t>() == 2);
  CHECK(results[0].affected() == 1);

  const Plan plan = GENERATE(Plan::kept, Plan::once);
  const std::vector<Call> bad = {{insert, Parameters(3), plan},
                                 {insert, Parameters(1), plan},
                                 {"SELECT 1 / 0", {}, plan},
                                 {insert, Parameters(4), plan}};
  const ServerError error = server_error_of([&] { connection.run(bad); });
  CHECK(error.sqlstate() == "23505");
  CHECK(error.constraint() == "t_pkey");
  CHECK(error.code() == ErrorCode::conflict);
  CHECK(error.failure() == Failure::permanent);
  CHECK_FALSE(connection.broken());
  CHECK_FALSE(connection.in_transaction());
  CHECK(number(connection, "SELECT count(*) FROM public.t") == 2);
  CHECK(connection.run(good.back().sql).rows() == 1);
  CHECK(connection.run(std::span<const Call>()).empty());
}

TEST_CASE("a transaction over several runs ends with COMMIT, or is open after an error", "[postgres]") {
  Connection connection = connect(fresh_database(shared_server()));
  connection.run("CREATE TABLE public.t (n int8)");
  connection.run(std::array{Call{"BEGIN"}, Call{"INSERT INTO public.t VALUES (1)"}});
  CHECK(connection.in_transaction());
  connection.run(std::array{Call{"INSERT INTO public.t VALUES (2)"}, Call{"COMMIT"}});
  CHECK_FALSE(connection.in_transaction());
  server_error_of([&] {
    connection.run(std::array{Call{"BEGIN"}, Call{"INSERT INTO public.t VALUES (3)"}, Call{"SELECT 1/0"},
                              Call{"COMMIT"}});
  });
  CHECK(connection.in_transaction());
  CHECK(connection.reset());
  CHECK_FALSE(connection.in_transaction());
  CHECK(number(connection, "SELECT count(*) FROM public.t") == 2);
}

TEST_CASE("a pipeline with more in both directions than the sockets hold does not stand still",
          "[postgres]") {
  Connection connection = connect(shared_server().uri());
  const int small = 4096;
  for (const int side : {SO_SNDBUF, SO_RCVBUF})
    REQUIRE(setsockopt(PQsocket(connection.handle()), SOL_SOCKET, side, &small, sizeof small) == 0);
  connection.set_patience(120s);
  // The server cannot read on before its answers are read, and those begin long before all is sent.
  const std::string text(20'000, 'x');
  const Plan plan = GENERATE(Plan::kept, Plan::once);
  std::vector<Call> calls{{"BEGIN"}};
  for (int i = 0; i < 1'000; ++i) calls.push_back({"SELECT $1::text, $2", Parameters(text, i), plan});
  calls.push_back({"COMMIT"});
  const std::vector<Result> results = connection.run(calls);
  REQUIRE(results.size() == calls.size());
  for (int i = 0; i < 1'000; ++i) {
    Reader row = results[static_cast<std::size_t>(i) + 1].row(0);
    REQUIRE(row.view().size() == text.size());
    REQUIRE(row.get<int>() == i);
  }
  CHECK_FALSE(connection.in_transaction());
}

TEST_CASE("a kept statement is prepared once, and again after the server has forgotten it", "[postgres]") {
  Connection connection = connect(shared_server().uri());
  const std::string known = "SELECT count(*) FROM pg_prepared_statements WHERE statement = 'SELECT $1 + 40'";
  for (int i = 0; i < 3; ++i) {
    CHECK(connection.run("SELECT $1 + 40", Parameters(2)).row(0).get<int>() == 42);
  }
  CHECK(connection.run(known, {}, Plan::once).row(0).get<int>() == 1);
  // Another type is another statement.
  CHECK(connection.run("SELECT $1 + 40", Parameters(2.5)).row(0).get<double>() == 42.5);
  CHECK(connection.run(known, {}, Plan::once).row(0).get<int>() == 2);
  CHECK(connection.run("SELECT $1 + 40", Parameters().add_null(), Plan::once).rows() == 1);
  connection.run("DEALLOCATE ALL", {}, Plan::once);
  CHECK(connection.run("SELECT $1 + 40", Parameters(2)).row(0).get<int>() == 42);
  connection.run("DEALLOCATE ALL", {}, Plan::once);
  // With BEGIN in the same pipeline too.
  const auto results =
      connection.run(std::array{Call{"BEGIN", {}, Plan::once}, Call{"SELECT $1 + 40", Parameters(2)}});
  CHECK(results[1].row(0).get<int>() == 42);
  connection.run("DEALLOCATE ALL", {}, Plan::once);
  // Within a transaction only its owner can run it again.
  const ServerError error = server_error_of([&] { connection.run("SELECT $1 + 40", Parameters(2)); });
  CHECK(error.failure() == Failure::transient);
  connection.reset();
  CHECK(connection.run("SELECT $1 + 40", Parameters(2)).row(0).get<int>() == 42);
}

TEST_CASE("a kept statement survives a change of its table", "[postgres]") {
  Connection connection = connect(fresh_database(shared_server()));
  connection.run_script("CREATE TABLE public.t (n int8); INSERT INTO public.t VALUES (1)");
  CHECK(connection.run("SELECT * FROM public.t").columns() == 1);
  connection.run("ALTER TABLE public.t ADD m int8");
  CHECK(connection.run("SELECT * FROM public.t").columns() == 2);
}

TEST_CASE("more statements than are kept are planned each time", "[postgres]") {
  Connection connection = connect(shared_server().uri());
  for (int i = 0; i < 600; ++i) {
    CHECK(connection.run("SELECT " + std::to_string(i)).row(0).get<int>() == i);
  }
  CHECK(number(connection, "SELECT count(*) FROM pg_prepared_statements") == 500);
}

TEST_CASE("a statement that fails to be prepared can be corrected", "[postgres]") {
  Connection connection = connect(fresh_database(shared_server()));
  for (int i = 0; i < 2; ++i) {
    const ServerError error = server_error_of([&] { connection.run("SELECT * FROM public.missing"); });
    CHECK(error.sqlstate() == "42P01");
    CHECK(std::string(error.what()).find("actionhist migrate") != std::string::npos);
  }
  connection.run("CREATE TABLE public.missing (n int)");
  CHECK(connection.run("SELECT * FROM public.missing").rows() == 0);
}

TEST_CASE("a pipeline larger than all buffers does not stand still", "[postgres]") {
  Connection connection = connect(shared_server().uri());
  const std::string text(100'000, 'x');
  std::vector<Call> calls;
  for (int i = 0; i < 200; ++i) calls.push_back({"SELECT $1::text", Parameters(text)});
  const std::vector<Result> results = connection.run(calls);
  REQUIRE(results.size() == 200);
  CHECK(results.back().row(0).get<std::string>() == text);
}

TEST_CASE("a script runs as one transaction, and pipelines go on after it", "[postgres]") {
  Connection connection = connect(fresh_database(shared_server()));
  connection.run_script("CREATE TABLE public.t (n int8); INSERT INTO public.t SELECT generate_series(1, 3);");
  CHECK(number(connection, "SELECT count(*) FROM public.t") == 3);
  CHECK(server_error_of([&] {
          connection.run_script("DELETE FROM public.t; SELECT 1/0; SELECT 2");
        }).sqlstate() == "22012");
  CHECK(number(connection, "SELECT count(*) FROM public.t") == 3);
  connection.run_script("");
  connection.run_script("-- only a comment");
  connection.run("BEGIN");
  connection.run_script("DELETE FROM public.t");
  connection.run("ROLLBACK");
  CHECK(number(connection, "SELECT count(*) FROM public.t") == 3);
}

TEST_CASE("COPY moves rows out and in", "[postgres]") {
  Connection connection = connect(fresh_database(shared_server()));
  connection.run_script(
      "CREATE TABLE public.t (n int8, w text); INSERT INTO public.t SELECT g, repeat('x', 500) FROM generate_series(1, 5000) g");
  std::string bytes;
  const std::int64_t out =
      connection.copy_out("COPY public.t TO STDOUT (FORMAT binary)", [&](std::span<const std::byte> piece) {
        bytes.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      });
  CHECK(out == 5000);
  CHECK(bytes.starts_with("PGCOPY\n"));
  connection.run("TRUNCATE public.t");
  std::size_t sent = 0;
  const auto source = [&] {
    const auto rest = std::as_bytes(std::span(bytes)).subspan(sent);
    const auto piece = rest.first(std::min<std::size_t>(rest.size(), 1'000'000));
    sent += piece.size();
    return piece;
  };
  CHECK(connection.copy_in("COPY public.t FROM STDIN (FORMAT binary)", source) == 5000);
  CHECK(number(connection, "SELECT sum(n)::int8 FROM public.t") == 5000 * 5001 / 2);

  // Faults on either side leave nothing behind.
  bytes[bytes.size() / 2 + 3] = '\x7f';
  bytes[bytes.size() / 2 + 4] = '\x7f';
  for (std::size_t i = 0; i < 600; ++i) bytes[bytes.size() / 2 + i] = '\x7f';
  sent = 0;
  CHECK_THROWS_AS(connection.copy_in("COPY public.t FROM STDIN (FORMAT binary)", source), ServerError);
  CHECK_THROWS_AS(connection.copy_in("COPY public.t FROM STDIN (FORMAT binary)",
                                     []() -> std::span<const std::byte> { throw std::logic_error("mine"); }),
                  std::logic_error);
  CHECK_THROWS_AS(connection.copy_in("COPY public.missing FROM STDIN", source), ServerError);
  CHECK(number(connection, "SELECT count(*) FROM public.t") == 5000);
  CHECK_THROWS_AS(connection.copy_out("SELECT 1", [](auto) {}), Error);
  CHECK_FALSE(connection.broken());
  CHECK_THROWS_AS(
      connection.copy_out("COPY public.t TO STDOUT", [](auto) { throw std::logic_error("mine"); }),
      std::logic_error);
  CHECK(connection.broken());
}

TEST_CASE("a statement that takes too long is ended by the server", "[postgres]") {
  Connection connection = connect(shared_server().uri(), {.statement_timeout = 50ms});
  const ServerError error = server_error_of([&] { connection.run("SELECT pg_sleep(60)"); });
  CHECK(error.code() == ErrorCode::timeout);
  CHECK(error.sqlstate() == "57014");
  CHECK_FALSE(error.retryable());
  CHECK(number(connection, "SELECT 1::int8") == 1);
}

TEST_CASE("a server that does not answer is left at the client's deadline", "[postgres]") {
  Connection connection = connect(shared_server().uri(), {.statement_timeout = 0ms});
  connection.set_patience(100ms);
  const ServerError error = server_error_of([&] { connection.run("SELECT pg_sleep(3)"); });
  CHECK(error.code() == ErrorCode::unavailable);
  CHECK(error.failure() == Failure::connection_lost);
  CHECK(connection.broken());
  CHECK(error_code_of([&] { connection.run("SELECT 1"); }) == ErrorCode::unavailable);
}

TEST_CASE("a row that another transaction holds is waited for until lock_timeout", "[postgres]") {
  const std::string uri = fresh_database(shared_server());
  Connection holder = connect(uri);
  holder.run_script("CREATE TABLE public.t (n int8); INSERT INTO public.t VALUES (1)");
  holder.run(std::array{Call{"BEGIN"}, Call{"UPDATE public.t SET n = 2"}});
  Connection other = connect(uri, {.lock_timeout = 50ms});
  const ServerError error = server_error_of([&] { other.run("UPDATE public.t SET n = 3"); });
  CHECK(error.sqlstate() == "55P03");
  CHECK(error.code() == ErrorCode::timeout);
  CHECK(error.failure() == Failure::transient);
}

TEST_CASE("a deadlock is transient for one of the two", "[postgres]") {
  const std::string uri = fresh_database(shared_server());
  Connection one = connect(uri);
  Connection two = connect(uri);
  one.run_script("CREATE TABLE public.t (n int8); INSERT INTO public.t VALUES (1), (2)");
  one.run(std::array{Call{"BEGIN"}, Call{"UPDATE public.t SET n = n WHERE n = 1"}});
  two.run(std::array{Call{"BEGIN"}, Call{"UPDATE public.t SET n = n WHERE n = 2"}});
  std::optional<ServerError> first;
  std::thread thread([&] {
    try {
      one.run("UPDATE public.t SET n = n WHERE n = 2");
    } catch (const ServerError& error) {
      first = error;
    }
    one.run("ROLLBACK");
  });
  std::optional<ServerError> second;
  try {
    two.run("UPDATE public.t SET n = n WHERE n = 1");
  } catch (const ServerError& error) {
    second = error;
  }
  two.run("ROLLBACK");
  thread.join();
  REQUIRE(first.has_value() != second.has_value());
  const ServerError& error = first ? *first : *second;
  CHECK(error.sqlstate() == "40P01");
  CHECK(error.failure() == Failure::transient);
}

TEST_CASE("a month without a partition is a failure of its own", "[postgres]") {
  Connection connection = connect(fresh_database(shared_server()));
  connection.run_script(
      "CREATE TABLE public.t (n int8 CHECK (n < 5)) PARTITION BY RANGE (n);"
      "CREATE TABLE public.t1 PARTITION OF public.t FOR VALUES FROM (0) TO (10)");
  CHECK(server_error_of([&] { connection.run("INSERT INTO public.t VALUES (20)"); }).failure() ==
        Failure::no_partition);
  const ServerError checked = server_error_of([&] { connection.run("INSERT INTO public.t VALUES (7)"); });
  CHECK(checked.sqlstate() == "23514");
  CHECK(checked.failure() == Failure::permanent);
}

TEST_CASE("a backend that is ended breaks the connection and nothing else", "[postgres]") {
  Connection connection = connect(shared_server().uri());
  const int pid = backend_pid(connection);
  SECTION("between two statements") {
    shared_server().run_sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 60000)");
    CHECK(connection.has_input());
  }
  SECTION("in the middle of one") {
    std::thread killer([&] {
      wait_until([&] {
        return shared_server().run_sql(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(59)%'"
                   " AND pid = " +
                   std::to_string(pid)) == "1";
      });
      shared_server().run_sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 60000)");
    });
    const ServerError error = server_error_of([&] { connection.run("SELECT pg_sleep(59)", {}, Plan::once); });
    killer.join();
    CHECK(error.failure() == Failure::connection_lost);
    CHECK(error.code() == ErrorCode::unavailable);
    CHECK(connection.broken());
    return;
  }
  const ServerError error = server_error_of([&] { connection.run("SELECT 1"); });
  CHECK(error.failure() == Failure::connection_lost);
  CHECK(connection.broken());
  CHECK_FALSE(connection.alive(1s));
  CHECK_FALSE(connection.reset());
}

TEST_CASE("a healthy connection gives a sign of life and goes on", "[postgres]") {
  Connection connection = connect(shared_server().uri());
  for (int i = 0; i < 3; ++i) {
    CHECK(connection.alive(60s));
    CHECK(number(connection, "SELECT 1::int8") == 1);
  }
  CHECK_FALSE(connection.has_input());
}

TEST_CASE("a first answer that does not come is waited for as long as told, and the others longer",
          "[postgres]") {
  Connection connection = connect(shared_server().uri());
  connection.set_first_patience(2s);
  CHECK(connection.run(std::array{Call{"SELECT 1"}, Call{"SELECT pg_sleep(3)"}}).size() == 2);
  const ServerError error = server_error_of([&] {
    connection.run(std::array{Call{"SELECT pg_sleep(20)"}, Call{"SELECT 1"}});
  });
  CHECK(error.code() == ErrorCode::unavailable);
  CHECK(connection.broken());
}

TEST_CASE("more than a server takes at once is refused before it is sent", "[postgres]") {
  CHECK_NOTHROW(check_message_size(1'000'000'000));
  try {
    check_message_size(1'000'000'001);
    FAIL("a server would close the connection");
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::invalid_argument);
    CHECK(std::string_view(error.what()).find("give fewer at once") != std::string_view::npos);
  }
}

TEST_CASE("a session that only reads is told so, and is not taken for one of a standby", "[postgres]") {
  Connection connection(Target(fresh_database(shared_server())), {}, "t", nullptr, Access::read);
  const ServerError error = server_error_of([&] { connection.run("CREATE TABLE public.t (n int8)"); });
  CHECK(error.code() == ErrorCode::denied);
  CHECK_FALSE(error.retryable());
  CHECK(std::string_view(error.what()).find("read_only") != std::string_view::npos);
  CHECK_FALSE(connection.broken());
  CHECK(error_code_of([&] { connection.run_script("CREATE TABLE public.t (n int8)"); }) == ErrorCode::denied);
  CHECK(number(connection, "SELECT 1::int8") == 1);
}

TEST_CASE("servers before 15 are refused by their version", "[postgres]") {
  CHECK_NOTHROW(check_server_version(150'000));
  CHECK_NOTHROW(check_server_version(170'002));
  CHECK(error_code_of([] { check_server_version(140'009); }) == ErrorCode::unsupported);
  CHECK(error_text_of([] { check_server_version(140'009); }).find("14.9") != std::string::npos);
  CHECK(error_text_of([] { check_server_version(90'624); }).find("9.6") != std::string::npos);
}
