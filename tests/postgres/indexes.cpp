// Sets of indexes are built and dropped while agents write, and answer what is answered without them.
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "postgres/connection.hpp"
#include "support/postgres_server.hpp"
#include "support/random_filters.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options with(std::vector<IndexSet> sets) {
  Options options{.tenant = "t", .semantic = false, .clock = FixedClock()};
  options.postgres.indexes = std::move(sets);
  return options;
}

std::string sql(const std::string& uri, const std::string& text) {
  return shared_server().run_sql("SET search_path = actionhist, pg_temp; " + text, database_of(uri));
}

// The indexes beyond those of a migration: "traces_labels traces_metadata …", with "!" where one is incomplete.
std::string sets_of(const std::string& uri) {
  return sql(
      uri,
      "SELECT coalesce(string_agg(c.relname || CASE WHEN i.indisvalid THEN '' ELSE '!' END, ' ' ORDER BY "
      "c.relname), '') FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relname IN "
      "('traces_words', 'traces_labels', 'traces_parameters', 'traces_state', 'traces_metadata', 'traces_type', "
      "'traces_alert', 'traces_model', 'traces_status', 'traces_namespace', 'traces_effectiveness', "
      "'traces_duration')");
}

constexpr const char* search_set =
    "traces_labels traces_metadata traces_parameters traces_state traces_words";
constexpr const char* analytics_set =
    "traces_alert traces_duration traces_effectiveness traces_model traces_namespace traces_status traces_type";

}  // namespace

TEST_CASE("index sets come and go as a migration is told, and stay when it is not", "[postgres][indexes]") {
  const std::string uri = fresh_database(shared_server());
  open(uri, with({}));
  CHECK(sets_of(uri).empty());
  open(uri, with({IndexSet::search}));
  CHECK(sets_of(uri) == search_set);
  open(uri, with({}));
  CHECK(sets_of(uri) == search_set);
  open(uri, with({IndexSet::analytics, IndexSet::search}));
  CHECK(sets_of(uri).size() == std::string(search_set).size() + std::string(analytics_set).size() + 1);
  open(uri, with({IndexSet::analytics}));
  CHECK(sets_of(uri) == analytics_set);
  // A month that comes later has them as well.
  History history = open(uri, with({}));
  history.record(restart("a", parse_time("2003-02-01T00:00:00Z")));
  CHECK(sets_of(uri) == analytics_set);
  CHECK(history.repository().maintenance().verify().empty());
  open(uri, with({IndexSet::lean}));
  CHECK(sets_of(uri).empty());
  CHECK(sql(uri, "SELECT count(*) FROM pg_class WHERE relname LIKE 'resource_action_traces_2003_02_type%'") ==
        "0");
}

TEST_CASE("what is printed for a set of indexes does the same", "[postgres][indexes]") {
  const std::string uri = fresh_database(shared_server());
  for (const auto& [set, result] : {std::pair{IndexSet::search, search_set}, std::pair{IndexSet::lean, ""},
                                    std::pair{IndexSet::search, search_set}}) {
    Options options = with({set});
    options.run_migrations = false;
    const std::string script = open_repository(uri, options)->maintenance().migration_script();
    run_psql(uri, script);
    CHECK(sets_of(uri) == result);
  }
  open(uri, with({IndexSet::search}));
  CHECK(open_repository(uri, with({IndexSet::search}))->maintenance().migration_script().empty());
}

TEST_CASE("agents write on while indexes are built and dropped beside a transaction that does not end",
          "[postgres][indexes]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, with({}));
  history.record(restart("first"));
  postgres::Connection frozen(postgres::Target(uri), {.idle_in_transaction_timeout = 0ms}, "t");
  int written = 0;
  for (const IndexSet set : {IndexSet::search, IndexSet::lean}) {
    frozen.run("BEGIN");
    frozen.run("UPDATE resource_action_traces SET environment = 'x' WHERE tenant_id = 't'");
    std::atomic<bool> done{false};
    std::string error;
    std::thread builder([&] {
      error = error_text_of([&] { open(uri, with({set})); });
      done = true;
    });
    // The frozen transaction holds what a lock for an index would need, so the builder has to come back later.
    for (int i = 0; i < 40; ++i) history.record(restart(fmt::format("{}", ++written)));
    std::this_thread::sleep_for(1s);
    for (int i = 0; i < 40; ++i) history.record(restart(fmt::format("{}", ++written)));
    CHECK_FALSE(done);
    frozen.run("COMMIT");
    builder.join();
    CHECK(error.empty());
    CHECK(sets_of(uri) == (set == IndexSet::search ? search_set : ""));
  }
  CHECK(history.history({.limit = 1000}).traces.size() == 161);
}

TEST_CASE("building that was interrupted is told, and taken up again", "[postgres][indexes]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, with({}));
  history.record(restart("a"));
  // As if it had been killed: the whole is there, of one month nothing, of one half, of one it is not attached.
  sql(uri,
      "CREATE INDEX traces_type ON ONLY resource_action_traces (tenant_id, action_type, action_timestamp, "
      "action_id)");
  sql(uri,
      "CREATE INDEX resource_action_traces_2026_03_type ON resource_action_traces_2026_03 (tenant_id, "
      "action_type, action_timestamp, action_id)");
  sql(uri,
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'resource_action_traces_2026_03_type'::regclass");
  CHECK(sets_of(uri) == "traces_type!");
  const auto problems = history.repository().maintenance().verify();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].find("traces_type") != std::string::npos);
  CHECK(problems[0].find("migrate --indexes") != std::string::npos);
  const IndexSet set = GENERATE(IndexSet::analytics, IndexSet::lean);
  open(uri, with({set}));
  CHECK(sets_of(uri) == (set == IndexSet::lean ? "" : analytics_set));
  CHECK(history.repository().maintenance().verify().empty());
}

TEST_CASE("two migrations that build the same indexes at once both end well", "[postgres][indexes]") {
  const std::string uri = fresh_database(shared_server());
  std::vector<std::string> errors(3);
  std::vector<std::thread> threads;
  for (std::string& error : errors) {
    threads.emplace_back([&] { error = error_text_of([&] { open(uri, with({IndexSet::analytics})); }); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::vector<std::string>(3));
  CHECK(sets_of(uri) == analytics_set);
}

TEST_CASE("filters answer the same with the sets as without", "[postgres][indexes]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, with({}));
  RandomFilters random(3);
  std::vector<Action> actions;
  for (int i = 0; i < 200; ++i) actions.push_back(random.action(i));
  history.record(actions);
  const auto answers = [&] {
    RandomFilters filters(5);
    std::string text;
    for (int i = 0; i < 150; ++i) {
      text += "\n";
      for (const Trace& trace : history.history({.where = filters.filter(), .limit = 1000}).traces) {
        text += trace.action_id + " ";
      }
    }
    for (const char* where :
         {R"({"action_parameters.replicas": 3})", R"({"alert_labels.pod": "x"})", R"({"metadata.a.b": "c"})",
          R"({"metadata.a.b": true, "action_parameters.replicas": 2})"}) {
      for (const Trace& trace : history.history({.where = Json::parse(where)}).traces)
        text += trace.action_id + " ";
    }
    return text;
  };
  const std::string lean = answers();
  open(uri, with({IndexSet::search, IndexSet::analytics}));
  CHECK(answers() == lean);
}

TEST_CASE("a role that does not own the schema, and a pooler, are told who builds indexes",
          "[postgres][indexes]") {
  const std::string uri = fresh_database(shared_server());
  open(uri, with({}));
  const std::string database = database_of(uri);
  const std::string role = "indexes_" + database;
  sql(uri, fmt::format("CREATE ROLE {0} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA actionhist TO {0}; "
                       "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA actionhist TO {0}",
                       role));
  const auto build = [&] { open(shared_server().uri(database, role, "x"), with({IndexSet::search})); };
  CHECK(error_code_of(build) == ErrorCode::denied);
  CHECK(error_text_of(build).find("owner") != std::string::npos);
  CHECK(sets_of(uri).empty());
  PgBouncer pooler(shared_server());
  const auto pooled = [&] { open(pooler.uri(database), with({IndexSet::search})); };
  CHECK(error_code_of(pooled) == ErrorCode::unsupported);
  CHECK(error_text_of(pooled).find("pooler") != std::string::npos);
}
