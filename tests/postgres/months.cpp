// Actions of months that nobody prepared.
#include <catch2/catch.hpp>

#include <thread>

#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options in_year(const std::string& now) {
  return {.tenant = "t", .semantic = false, .clock = [time = parse_time(now)] { return time; }};
}

bool has_month(const std::string& uri, const std::string& month) {
  return shared_server().run_sql(
             fmt::format("SELECT count(*) FROM pg_inherits WHERE inhparent = "
                         "'actionhist.resource_action_traces'::regclass AND inhrelid::regclass::text = "
                         "'actionhist.resource_action_traces_{}'",
                         month),
             database_of(uri)) == "1";
}

}  // namespace

TEST_CASE("an action of a month that nobody prepared is stored", "[postgres][months]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, in_year("2031-05-05T00:00:00Z"));
  CHECK_FALSE(has_month(uri, "2001_02"));
  CHECK(history.record(restart("past", parse_time("2001-02-03T04:05:06Z"))).stored);
  CHECK(has_month(uri, "2001_02"));
  CHECK(history.record(restart("future", parse_time("2031-05-04T23:59:59.999999Z"))).stored);
  CHECK(has_month(uri, "2031_05"));
  // The bounds are those of UTC, wherever the server is.
  const Action edges[] = {restart("last", parse_time("2030-12-31T23:59:59.999999Z")),
                          restart("first", parse_time("2031-01-01T00:00:00Z"))};
  CHECK(history.record(edges).size() == 2);
  CHECK(has_month(uri, "2030_12"));
  CHECK(has_month(uri, "2031_01"));
  CHECK(history.history({}).traces.size() == 4);
  CHECK(history.repository().maintenance().verify().empty());

  const auto too_early = [&] { history.record(restart("early", parse_time("1999-12-31T23:59:59Z"))); };
  CHECK(error_code_of(too_early) == ErrorCode::invalid_argument);
  CHECK(error_text_of(too_early).find("action_timestamp") != std::string::npos);
  CHECK_FALSE(history.get("early"));
}

TEST_CASE("a month that is missing inside a transaction makes it run again, with the month",
          "[postgres][months]") {
  const std::string uri = fresh_database(shared_server());
  Options options = in_year("2031-05-05T00:00:00Z");
  options.postgres.pool_max = 1;
  options.postgres.acquire_timeout = 20s;
  History history = open(uri, options);
  Action proposed = restart("proposed");
  proposed.action_timestamp.reset();
  CHECK(history.propose(proposed).allowed());
  CHECK(has_month(uri, "2031_05"));
  int runs = 0;
  history.repository().transaction([&] {
    ++runs;
    history.record(restart("a", parse_time("2001-01-01T00:00:00Z")));
    history.record(restart("b", parse_time("2001-02-01T00:00:00Z")));
  });
  CHECK(runs == 3);
  CHECK(history.history({}).traces.size() == 3);
  CHECK(history.repository().maintenance().verify().empty());
}

TEST_CASE("threads that miss the same months at once all store their actions", "[postgres][months]") {
  const std::string uri = fresh_database(shared_server());
  open(uri, in_year("2031-05-05T00:00:00Z"));
  std::vector<std::thread> threads;
  std::vector<std::string> errors(4);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      errors[static_cast<std::size_t>(t)] = error_text_of([&] {
        History history = open(uri, in_year("2031-05-05T00:00:00Z"));
        for (int month = 1; month <= 12; ++month) {
          history.record(restart(fmt::format("{}-{}", t, month),
                                 parse_time(fmt::format("2005-{:02}-15T00:00:00Z", month))));
        }
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::vector<std::string>(4));
  CHECK(open(uri, in_year("2031-05-05T00:00:00Z")).history({.limit = 100}).traces.size() == 48);
}

TEST_CASE("a role that may not make a month is told what to run", "[postgres][months]") {
  const std::string uri = fresh_database(shared_server());
  open(uri, in_year("2031-05-05T00:00:00Z"));
  const std::string database = database_of(uri);
  const std::string role = "months_" + database;
  shared_server().run_sql(
      fmt::format("CREATE ROLE {0} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA actionhist TO {0}; "
                  "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA actionhist TO {0}; ",
                  role),
      database);
  Options options = in_year("2031-05-05T00:00:00Z");
  options.run_migrations = false;
  History history = open(shared_server().uri(database, role, "x"), options);
  const auto write = [&] { history.record(restart("a", parse_time("2001-02-03T00:00:00Z"))); };
  CHECK(error_code_of(write) == ErrorCode::denied);
  const std::string text = error_text_of(write);
  CHECK(text.find("2001-02") != std::string::npos);
  CHECK(text.find("actionhist_ensure_month") != std::string::npos);
  CHECK(text.find("migrate --print-roles") != std::string::npos);
  CHECK_FALSE(history.get("a"));
  shared_server().run_sql(
      fmt::format("GRANT EXECUTE ON FUNCTION actionhist.actionhist_ensure_month(timestamptz) TO {}", role),
      database);
  CHECK(history.record(restart("a", parse_time("2001-02-03T00:00:00Z"))).stored);
}

TEST_CASE("a partition that is taken away behind our back is made again", "[postgres][months]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, in_year("2031-05-05T00:00:00Z"));
  const TimePoint then = parse_time("2001-02-03T00:00:00Z");
  history.record(restart("a", then));
  shared_server().run_sql("DROP TABLE actionhist.resource_action_traces_2001_02", database_of(uri));
  CHECK(history.record(restart("b", then)).stored);
  history.repository().transaction([&] {
    history.record(restart("c", then));
    history.record(restart("d", then));
  });
  CHECK(history.history({}).traces.size() == 3);

  // One that is only detached keeps its name, and somebody has to decide what is in it.
  shared_server().run_sql(
      "ALTER TABLE actionhist.resource_action_traces DETACH PARTITION actionhist.resource_action_traces_2001_02",
      database_of(uri));
  const auto write = [&] { history.record(restart("e", then)); };
  CHECK(error_code_of(write) == ErrorCode::conflict);
  CHECK(error_text_of(write).find("resource_action_traces_2001_02") != std::string::npos);
  shared_server().run_sql(
      "ALTER TABLE actionhist.resource_action_traces ATTACH PARTITION actionhist.resource_action_traces_2001_02 "
      "FOR VALUES FROM ('2001-02-01 UTC') TO ('2001-03-01 UTC')",
      database_of(uri));
  CHECK(history.record(restart("e", then)).stored);
  CHECK(history.history({}).traces.size() == 4);
}
