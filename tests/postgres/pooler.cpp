// Through PgBouncer in transaction mode, where each transaction may meet another server connection.
#include <catch2/catch.hpp>

#include <array>

#include "postgres/connection.hpp"
#include "postgres/pool.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

PgBouncer& bouncer() {
  static PgBouncer one(shared_server());
  return one;
}

std::string setting(Connection& connection, const std::string& name, bool with_context) {
  std::vector<Call> calls;
  if (with_context) calls = connection.context();
  calls.push_back({"SELECT current_setting($1, true)", Parameters(name)});
  return connection.run(calls).back().row(0).get<std::string>();
}

}  // namespace

TEST_CASE("a pooler is found out, and nothing of a session stays on the server's connections", "[postgres]") {
  const std::string database = database_of(fresh_database(shared_server()));
  Connection first(Target(bouncer().uri(database)), {.lock_timeout = 777ms}, "tenant-1");
  REQUIRE(first.pooled());
  REQUIRE(first.context().size() == 1);
  CHECK(setting(first, "actionhist.tenant", true) == "tenant-1");
  CHECK(setting(first, "search_path", true) == "\"actionhist\", pg_temp");
  CHECK(setting(first, "lock_timeout", true) == "777ms");
  CHECK(setting(first, "actionhist.tenant", false).empty());
  CHECK(setting(first, "lock_timeout", false) == "0");
  Connection second(Target(bouncer().uri(database)), {}, "tenant-2");
  CHECK(setting(second, "actionhist.tenant", true) == "tenant-2");
  CHECK(setting(second, "actionhist.tenant", false).empty());
}

TEST_CASE("statements of one text work on whichever server connection they meet", "[postgres]") {
  const std::string database = database_of(fresh_database(shared_server()));
  Connection one(Target(bouncer().uri(database)), {}, "t");
  Connection two(Target(bouncer().uri(database)), {}, "t");
  for (int i = 0; i < 20; ++i) {
    one.run("BEGIN");
    CHECK(two.run("SELECT $1 + 1", Parameters(i)).row(0).get<int>() == i + 1);
    CHECK(one.run("SELECT $1 + 1", Parameters(i)).row(0).get<int>() == i + 1);
    two.run("BEGIN");
    one.run("COMMIT");
    CHECK(two.run("SELECT $1 + 1", Parameters(i)).row(0).get<int>() == i + 1);
    two.run("COMMIT");
  }
}

TEST_CASE("a pipeline through a pooler is one transaction", "[postgres]") {
  const std::string database = database_of(fresh_database(shared_server()));
  Connection connection(Target(bouncer().uri(database)), {}, "t");
  connection.run_script("CREATE TABLE public.t (n int8 PRIMARY KEY)");
  const std::array bad{Call{"INSERT INTO public.t VALUES (1)"}, Call{"INSERT INTO public.t VALUES (1)"}};
  CHECK_THROWS_AS(connection.run(bad), ServerError);
  CHECK(connection.run("SELECT count(*) FROM public.t").row(0).get<std::int64_t>() == 0);
  CHECK(connection.alive(60s));
  std::size_t bytes = 0;
  connection.copy_out("COPY (SELECT 1) TO STDOUT", [&](auto piece) { bytes += piece.size(); });
  CHECK(bytes == 2);
}

TEST_CASE("the option overrules what is found out", "[postgres]") {
  Connection direct(Target(shared_server().uri()), {.pooler = Pooler::transaction}, "t");
  CHECK(direct.pooled());
  CHECK(setting(direct, "actionhist.tenant", true) == "t");
  CHECK(setting(direct, "actionhist.tenant", false).empty());
  Connection told(Target(shared_server().uri()), {.pooler = Pooler::none}, "t");
  CHECK_FALSE(told.pooled());
}

TEST_CASE("what a pooler refuses is told", "[postgres]") {
  const auto text = [](const std::string& uri) {
    return error_text_of([&] { Connection(Target(uri), {}, "t"); });
  };
  const std::string options = text(bouncer().uri() + "&options=-c%20geqo%3Doff");
  CHECK(options.find("options") != std::string::npos);
  CHECK(options.find("ignore_startup_parameters") != std::string::npos);
  CHECK(text(bouncer().uri("postgres", app_role, "wrong-secret")).find("wrong-secret") == std::string::npos);
  CHECK(error_code_of([&] { Connection(Target(bouncer().uri("postgres", app_role, "wrong")), {}, "t"); }) ==
        ErrorCode::denied);
}
