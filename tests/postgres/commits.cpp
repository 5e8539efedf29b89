// Transactions whose commit fails, or comes later than that of another one which began after it.
#include <catch2/catch.hpp>

#include <future>

#include "core/hash.hpp"
#include "postgres/connection.hpp"
#include "postgres/fresh_insert.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options plain() { return {.tenant = "t", .semantic = false}; }

Action scored(const std::string& id, TimePoint at) {
  Action action = restart(id, at);
  action.outcome = completed(.5);
  return action;
}

}  // namespace

TEST_CASE("an action whose first commit failed is found by its resource", "[postgres][commits]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, plain());
  // The first commit with a score fails as one does that met another.
  shared_server().run_sql(R"(
    CREATE SEQUENCE public.commits;
    GRANT USAGE ON SEQUENCE public.commits TO PUBLIC;
    CREATE FUNCTION public.fail_once() RETURNS trigger LANGUAGE plpgsql AS
      $$BEGIN IF nextval('public.commits') = 1 THEN RAISE EXCEPTION 'not now' USING ERRCODE = '40001'; END IF;
      RETURN NULL; END$$;
    CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON actionhist.scored_hours DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION public.fail_once())",
                          database_of(uri));
  CHECK(history.record(scored("a", noon)).stored);
  CHECK(shared_server().run_sql("SELECT last_value FROM public.commits", database_of(uri)) == "2");
  const auto found = history.history({.resource = {.kind = "Deployment", .name = "web"}}).traces;
  REQUIRE(found.size() == 1);
  CHECK(found.front().action_id == "a");
  CHECK(history.repository().maintenance().verify().empty());
}

TEST_CASE("a resource whose description was lost with a commit is described again", "[postgres][commits]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, plain());
  const bool guarded = GENERATE(false, true);
  const bool batch = !guarded && GENERATE(false, true);
  INFO(guarded << ' ' << batch);
  const auto store = [&](const std::string& id) {
    Action action = restart(id);
    if (guarded) {
      action.action_timestamp.reset();
      REQUIRE(history.propose(action).allowed());
    } else if (batch) {
      Action other = restart(id + " of another");
      other.resource.name = "db";
      history.record(std::vector{action, other});
    } else {
      history.record(action);
    }
  };
  store("lost");
  for (const char* table :
       {"resource_action_traces", "resource_references", "action_histories", "embedding_queue"})
    shared_server().run_sql(fmt::format("DELETE FROM actionhist.{}", table), database_of(uri));
  store("new");
  CHECK(history.history({.resource = {.kind = "Deployment", .name = "web"}}).traces.size() == 1);
  CHECK(history.repository().maintenance().verify().empty());
  shared_server().run_sql("DELETE FROM actionhist.resource_references", database_of(uri));
  CHECK_FALSE(history.repository().maintenance().verify().empty());
}

TEST_CASE("an action whose id holds milliseconds alone, as it once did, is found", "[postgres][commits]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, plain());
  const std::string id = history.record(restart("", noon)).action_id;
  std::string old = id;
  old.replace(15, 3, "abc");
  shared_server().run_sql(
      fmt::format("UPDATE actionhist.resource_action_traces SET action_id = '{}' WHERE action_id = '{}'", old,
                  id),
      database_of(uri));
  CHECK(history.get(old));
  CHECK(history.repository().actions().get(std::vector{old}).size() == 1);
  CHECK_FALSE(history.record(restart(old, noon)).stored);
  CHECK(history.complete(old, completed(.5)).outcome.effectiveness_score == .5);
  CHECK(history.history({}).traces.size() == 1);
}

TEST_CASE("what one server was told of a resource is not known of the next one", "[postgres][commits]") {
  Trace trace;
  trace.action_id = uuid_v7(noon);
  trace.action_timestamp = noon;
  trace.resource_id = "r";
  const Trace* const row = &trace;
  postgres::KnownResources known;
  known.add(trace, noon);
  postgres::GuardedHeads heads{.server = noon};
  heads.add({ScopeKind::resource, "r"}, 1);
  const auto calls_for = [&](const postgres::GuardedHeads* given) {
    std::vector<postgres::Call> calls;
    postgres::add_fresh_insert(calls, "t", {&row, 1}, known, given);
    return calls.size();
  };
  const std::size_t described = calls_for(&heads);
  CHECK(calls_for(nullptr) == described);
  heads.server = noon + 1s;
  CHECK(calls_for(&heads) > described);
}

TEST_CASE("a score that is committed after the metrics were made is in them the next time",
          "[postgres][commits]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, plain());
  postgres::Connection late(postgres::Target(uri), plain().postgres, "t");
  late.run_script(
      fmt::format("BEGIN; INSERT INTO scored_hours (tenant_id, hour) VALUES ('t', '{}')", format_time(noon)));
  history.record(scored("a", noon));
  CHECK(history.refresh_metrics().hours == 1);
  late.run_script("COMMIT");
  CHECK(history.refresh_metrics().hours == 1);
  CHECK(history.refresh_metrics().hours == 0);
}

TEST_CASE("what removes actions locks in the order of what stores and completes them",
          "[postgres][commits]") {
  const bool erase = GENERATE(true, false);
  // complete() begins with the trace, record() with the history.
  const std::string first = GENERATE("resource_action_traces", "action_histories");
  INFO(erase << ' ' << first);
  const std::string uri = fresh_database(shared_server());
  Options patient = plain();
  patient.postgres.lock_timeout = 60s;
  patient.postgres.statement_timeout = 120s;
  History history = open(uri, patient);
  Action old = restart("old", system_now() - 2400h);
  old.correlation_id = "incident";
  history.record(old);
  history.set_retention_policy(
      RetentionPolicy{.max_age = std::chrono::days(30), .strategy = RetentionStrategy::oldest_first});
  postgres::Connection other(postgres::Target(shared_server().superuser_uri(database_of(uri))),
                             patient.postgres, "t");
  // So that it is this one that fails where two wait for each other.
  other.run_script("SET deadlock_timeout = '10ms'");
  other.run_script("BEGIN; SELECT FROM " + first + " FOR UPDATE");
  auto removal = std::async(std::launch::async, [&] {
    return erase ? history.erase("old") : history.apply_retention().removed == 1;
  });
  CHECK(wait_until([&] {
    return shared_server().run_sql(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = '" +
               database_of(uri) + "'") != "0";
  }));
  CHECK_NOTHROW(other.run_script(
      "UPDATE action_histories SET version = version + 1; UPDATE guard_heads SET version = version + 1; "
      "UPDATE action_ids SET action_id = action_id; COMMIT"));
  CHECK(removal.get());
  CHECK_FALSE(history.get("old"));
}

TEST_CASE("a batch that is sent again is answered with what is stored", "[postgres][commits]") {
  History history = open(fresh_database(shared_server()), plain());
  std::vector<Action> actions;
  for (int i = 0; i < 100; ++i) actions.push_back(restart(fmt::format("a-{}", i), noon));
  history.record(actions);
  actions.push_back(restart("new", noon));
  const std::vector<Trace> again = history.record(actions);
  REQUIRE(again.size() == 101);
  for (std::size_t i = 0; i < again.size(); ++i) {
    CHECK(again[i].action_id == actions[i].action_id);
    CHECK(again[i].stored == (i == 100));
  }
  history.erase("a-5");
  actions.push_back(restart("newer", noon));
  CHECK_THROWS_WITH(history.record(actions), Catch::Contains("\"a-5\" was deleted"));
  CHECK_FALSE(history.get("newer"));
}
