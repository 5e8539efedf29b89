// Transactions whose commit fails, or comes later than that of another one which began after it.
#include <catch2/catch.hpp>

#include "postgres/connection.hpp"
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
