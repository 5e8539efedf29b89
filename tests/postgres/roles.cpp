// The roles that `migrate --print-roles` makes: each does its work, and nothing else.
#include <catch2/catch.hpp>

#include <actionhist/postgres_roles.hpp>

#include "postgres/connection.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::postgres;
using namespace actionhist::test;

namespace {

// A migrated database with its roles, and a login for each; the schema is as unique as the database, because
// roles belong to the whole server.
class Roles {
 public:
  Roles() : uri_(fresh_database(shared_server())), database_(database_of(uri_)), schema_(database_) {
    open(uri_, options()).record(restart("first", system_now()));
    // As its owner would, who is no superuser but may make roles. Twice: it may be repeated.
    for (int i = 0; i < 2; ++i) run(postgres_roles_script(schema_));
    for (const char* role : {"writer", "reader", "embedder", "maintenance"}) {
      run(fmt::format("CREATE ROLE {0}_{1}_login LOGIN PASSWORD 'x' IN ROLE {0}_{1}", schema_, role));
    }
    run(fmt::format("CREATE ROLE {0}_stranger_login LOGIN PASSWORD 'x'", schema_));
  }

  Options options() const {
    Options options{.tenant = "t", .semantic = false};
    options.postgres.schema = schema_;
    options.postgres.pool_min = 0;
    return options;
  }
  std::string uri(std::string_view role) const {
    return shared_server().uri(database_, fmt::format("{}_{}_login", schema_, role), "x");
  }
  void run(const std::string& sql) const { shared_server().run_sql(sql, database_); }

  // The code of the error of `sql` as `role`; empty if there is none.
  std::string refused(std::string_view role, const std::string& sql) const {
    Connection connection(Target(uri(role)), options().postgres, "t");
    try {
      connection.run_script(sql);
    } catch (const ServerError& error) {
      return error.sqlstate();
    }
    return {};
  }

 private:
  std::string uri_, database_, schema_;
};

const Roles& roles() {
  static const Roles one;
  return one;
}

constexpr const char* denied = "42501";

}  // namespace

TEST_CASE("a writer does everything that a History does, its worker included", "[postgres][roles]") {
  Options options = roles().options();
  options.semantic = true;
  History history = open(roles().uri("writer"), options);
  CHECK(history.record(restart("w-1", system_now())).stored);
  CHECK(history.record(restart("w-2", parse_time("2003-04-05T00:00:00Z"))).stored);
  Action proposed = restart("w-3");
  proposed.action_timestamp.reset();
  CHECK(history.propose(proposed).allowed());
  CHECK(history.complete("w-3", completed(.5)).outcome.effectiveness_score == .5);
  history.observe({.name = "HighLoad", .starts_at = system_now()});
  history.resource_seen({.kind = "Deployment", .namespace_ = "prod", .name = "web", .uid = "u"});
  CHECK(history.wait_indexed(60s));
  CHECK(history.similar({.text = "pod crashes"}).size() == 4);
  CHECK(history.erase("w-1"));
  Pattern pattern = history.patterns().front();
  pattern.description = "changed";
  history.put_pattern(pattern);
  CHECK(history.patterns().front().description == "changed");
  CHECK(history.repository().maintenance().verify().empty());
}

TEST_CASE("a writer opens a new tenant and gets the shipped patterns", "[postgres][roles]") {
  Options options = roles().options();
  options.tenant = "new";
  options.run_migrations = GENERATE(true, false);
  CHECK(open(roles().uri("writer"), options).patterns().size() == default_patterns().size());
}

TEST_CASE("a reader reads everything and changes nothing", "[postgres][roles]") {
  Options options = roles().options();
  options.read_only = true;
  options.semantic = true;
  History history = open(roles().uri("reader"), options);
  CHECK(history.get("first"));
  CHECK_FALSE(history.history({}).traces.empty());
  CHECK_FALSE(history.summaries().empty());
  CHECK_FALSE(history.patterns().empty());
  CHECK(history.detect({.resource = {.kind = "Deployment", .name = "web"}}).empty());
  CHECK(history.health().ready);
  CHECK_FALSE(history.check(restart("r", system_now())).trace);
  CHECK(error_code_of([&] { history.record(restart("r", system_now())); }) == ErrorCode::denied);
  CHECK(error_code_of([&] { history.erase("first"); }) == ErrorCode::denied);
  CHECK(error_code_of([&] { history.observe({.name = "a", .starts_at = system_now()}); }) ==
        ErrorCode::denied);
  CHECK(history.get("first"));
}

TEST_CASE("a login without a role is told so, and not that the schema is missing", "[postgres][roles]") {
  for (const bool migrations : {true, false}) {
    Options options = roles().options();
    options.run_migrations = migrations;
    try {
      open(roles().uri("stranger"), options);
      FAIL("a stranger must not open the memory");
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::denied);
      CHECK(std::string_view(error.what()).find("--print-roles") != std::string_view::npos);
    }
  }
}

TEST_CASE("an embedder turns the queue into the feed and touches no action", "[postgres][roles]") {
  open(roles().uri("writer"), roles().options()).record(restart("queued", system_now()));
  Options options = roles().options();
  options.semantic = true;
  options.tenant = GENERATE("t", "tenant without patterns");
  History history = open(roles().uri("embedder"), options);
  CHECK(history.wait_indexed(60s));
  CHECK(history.health().feed.queued == 0);
  CHECK(history.health().index_error.empty());
  CHECK(error_code_of([&] { history.record(restart("e", system_now())); }) == ErrorCode::denied);
  Pattern pattern = default_patterns().front();
  pattern.description = "changed";
  CHECK(error_code_of([&] { history.put_pattern(pattern); }) == ErrorCode::denied);
  CHECK(roles().refused("embedder", "DELETE FROM resource_action_traces") == denied);
  CHECK(roles().refused("embedder", "SELECT FROM alert_events") == denied);
}

TEST_CASE("a maintainer makes months and removes actions, but makes none", "[postgres][roles]") {
  CHECK(open(roles().uri("writer"), roles().options()).record(restart("old", system_now())).stored);
  Options options = roles().options();
  History history = open(roles().uri("maintenance"), options);
  CHECK(roles().refused("maintenance", "SELECT actionhist_ensure_month('2002-01-01 UTC')").empty());
  CHECK(history.erase("old"));
  CHECK_FALSE(history.get("old"));
  CHECK(error_code_of([&] { history.record(restart("m", system_now())); }) == ErrorCode::denied);
  CHECK(roles().refused("maintenance", "UPDATE oscillation_patterns SET active = false") == denied);
  CHECK(history.repository().maintenance().verify().empty());
}

TEST_CASE("a maintainer keeps to the policies of retention", "[postgres][roles]") {
  Action old = restart("assessed-long-ago", system_now() - 2400h);
  old.outcome = completed(.5);
  Options options = roles().options();
  options.tenant = "with policies";
  open(roles().uri("writer"), options).record(old);
  History history = open(roles().uri("maintenance"), options);
  // Of a resource that no action has named, too.
  history.set_retention_policy(RetentionPolicy{.max_actions = 5},
                               {.kind = "Deployment", .namespace_ = "prod", .name = "unseen"});
  history.set_retention_policy(RetentionPolicy{
      .max_age = std::chrono::days(30), .strategy = RetentionStrategy::oldest_first, .compact = true});
  CHECK(history.apply_retention().removed == 1);
  CHECK_FALSE(history.get("assessed-long-ago"));
}

TEST_CASE("what a person overrode is not changed afterwards", "[postgres][roles]") {
  CHECK(roles().refused("writer", "UPDATE guard_overrides SET reason = 'another'") == denied);
  CHECK(roles().refused("writer", "DELETE FROM guard_overrides") == denied);
}

TEST_CASE("none of the roles changes the schema, and no one reads a partition past its parent",
          "[postgres][roles]") {
  const std::string role = GENERATE("writer", "reader", "embedder", "maintenance");
  INFO(role);
  const std::string month = "resource_action_traces_" +
                            shared_server().run_sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')");
  CHECK(roles().refused(role, "CREATE TABLE mine ()") == denied);
  CHECK(roles().refused(role, "ALTER TABLE resource_action_traces ADD COLUMN mine int") == denied);
  CHECK(roles().refused(role, "ALTER TABLE guard_heads DISABLE ROW LEVEL SECURITY") == denied);
  CHECK(roles().refused(role, "TRUNCATE resource_action_traces") == denied);
  CHECK(roles().refused(role, "DROP POLICY tenant ON resource_action_traces") == denied);
  CHECK(roles().refused(role, "INSERT INTO actionhist_migrations VALUES (99, 'mine')") == denied);
  CHECK(roles().refused(role, "SELECT FROM " + month) == denied);
  CHECK(roles().refused(role, "DELETE FROM " + month) == denied);
}

TEST_CASE("a table of the session's own does not stand in for one of the memory", "[postgres][roles]") {
  CHECK(roles()
            .refused("writer",
                     "CREATE TEMP TABLE resource_action_traces (id int) PARTITION BY RANGE (id);"
                     "CREATE TEMP TABLE pg_inherits (inhrelid oid, inhparent oid, inhdetachpending bool);"
                     "SELECT actionhist_ensure_month('2004-01-01 UTC')")
            .empty());
  CHECK(open(roles().uri("writer"), roles().options())
            .record(restart("s", parse_time("2004-01-02T00:00:00Z")))
            .stored);
}

TEST_CASE("the script is refused where there is no memory, and for a schema that cannot be one",
          "[postgres][roles]") {
  const std::string database = database_of(fresh_database(shared_server()));
  CHECK_THROWS_WITH(shared_server().run_sql(postgres_roles_script("actionhist"), database),
                    Catch::Contains("actionhist migrate"));
  CHECK(error_code_of([] { postgres_roles_script("a\"; DROP"); }) == ErrorCode::invalid_argument);
  CHECK(error_code_of([] { postgres_roles_script(std::string(52, 'a')); }) == ErrorCode::invalid_argument);
}
