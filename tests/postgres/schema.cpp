// The schema: made by several at once, by hand, by those who may not, on a full disk, by a newer library.
#include <catch2/catch.hpp>

#include <thread>

#include "postgres/maintenance_store.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options plain() { return {.tenant = "t", .semantic = false}; }

std::string sql(const std::string& uri, const std::string& text) {
  return shared_server().run_sql("SET search_path = actionhist, pg_temp; " + text, database_of(uri));
}

// Everything that the catalog knows of the schema, as text: columns, keys, indexes, policies, functions.
std::string catalog_of(const std::string& uri) {
  return sql(uri, R"(
    SELECT string_agg(line, E'\n' ORDER BY line) FROM (
      SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                    pg_get_expr(d.adbin, d.adrelid)) AS line
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND
        d.adnum = a.attnum WHERE c.relnamespace = 'actionhist'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
        AND c.relkind IN ('r', 'p', 'S')
      UNION ALL SELECT format('%s %s %s %s %s', relname, relkind, relrowsecurity, relforcerowsecurity, reloptions)
      FROM pg_class WHERE relnamespace = 'actionhist'::regnamespace
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'actionhist'
      UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
      WHERE connamespace = 'actionhist'::regnamespace
      UNION ALL SELECT format('%s %s %s %s', tablename, policyname, qual, with_check) FROM pg_policies
      WHERE schemaname = 'actionhist'
      UNION ALL SELECT format('%s %s', pg_get_functiondef(oid), proacl IS NULL) FROM pg_proc
      WHERE pronamespace = 'actionhist'::regnamespace
      UNION ALL SELECT format('%s %s', version, name) FROM actionhist_migrations) AS lines)");
}

}  // namespace

TEST_CASE("several that open a new database at once make its schema once", "[postgres][schema]") {
  const std::string uri = fresh_database(shared_server());
  std::vector<std::string> errors(4);
  std::vector<std::thread> threads;
  for (std::string& error : errors) {
    threads.emplace_back(
        [&] { error = error_text_of([&] { open(uri, plain()).record(restart("a", system_now())); }); });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::vector<std::string>(4));
  History history = open(uri, plain());
  CHECK(history.history({}).traces.size() == 1);
  const EngineInfo info = history.health().engine;
  CHECK(sql(uri, "SELECT count(*) FROM actionhist_migrations") == std::to_string(info.schema_latest));
  CHECK(history.repository().maintenance().verify().empty());
}

TEST_CASE("a migration takes longer than agents wait, and so may who waits for it", "[postgres][schema]") {
  const std::string uri = fresh_database(shared_server());
  shared_server().run_sql(R"(
    CREATE SEQUENCE public.policies;
    GRANT USAGE ON SEQUENCE public.policies TO PUBLIC;
    CREATE FUNCTION public.dawdle() RETURNS event_trigger LANGUAGE plpgsql AS
      $$BEGIN IF nextval('public.policies') = 1 THEN PERFORM pg_sleep(3); END IF; END$$;
    CREATE EVENT TRIGGER slow ON ddl_command_start WHEN TAG IN ('CREATE POLICY') EXECUTE FUNCTION public.dawdle())",
                          database_of(uri));
  PostgresOptions hurried;
  hurried.statement_timeout = 2s;
  hurried.lock_timeout = 100ms;
  std::vector<std::string> errors(2);
  std::vector<std::thread> threads;
  for (std::string& error : errors) {
    threads.emplace_back([&] {
      error = error_text_of([&] {
        postgres::Engine engine(postgres::Target(uri), hurried, "t");
        postgres::PostgresMaintenanceStore(engine).migrate();
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(errors == std::vector<std::string>(2));
  const EngineInfo info = open(uri, plain()).health().engine;
  CHECK(info.schema_version == info.schema_latest);
}

TEST_CASE("what migrate prints, psql makes the same schema of", "[postgres][schema]") {
  const std::string ours = fresh_database(shared_server());
  open(ours, plain());
  const std::string printed = fresh_database(shared_server());
  Options look = plain();
  look.run_migrations = false;
  const auto repository = open_repository(printed, look);
  run_psql(printed, repository->maintenance().migration_script());
  CHECK(repository->maintenance().migration_script().empty());
  const std::string made = catalog_of(ours);
  CHECK(made.size() > 10'000);
  CHECK(catalog_of(printed) == made);
  CHECK(open(printed, look).record(restart("a", system_now())).stored);
}

TEST_CASE("a schema that is newer than the library is refused, and left as it is", "[postgres][schema]") {
  const std::string uri = fresh_database(shared_server());
  open(uri, plain());
  sql(uri, "INSERT INTO actionhist_migrations (version, name) VALUES (9999, '9999_of_the_future')");
  const std::string before = catalog_of(uri);
  const bool migrate = GENERATE(true, false);
  Options options = plain();
  options.run_migrations = migrate;
  const auto try_open = [&] { open(uri, options); };
  CHECK(error_code_of(try_open) == ErrorCode::unsupported);
  CHECK(error_text_of(try_open).find("9999") != std::string::npos);
  CHECK(error_text_of(try_open).find("update the library") != std::string::npos);
  CHECK(catalog_of(uri) == before);
}

TEST_CASE("a process that is open when a newer library migrates stops at its next connection",
          "[postgres][schema]") {
  const std::string uri = fresh_database(shared_server());
  History history = open(uri, plain());
  history.record(restart("a", system_now()));
  sql(uri, "INSERT INTO actionhist_migrations (version, name) VALUES (9999, '9999_of_the_future')");
  sql(uri,
      "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = current_database() AND "
      "pid <> pg_backend_pid()");
  const auto try_record = [&] { history.record(restart("b", system_now())); };
  CHECK(error_code_of(try_record) == ErrorCode::unsupported);
  CHECK(error_text_of(try_record).find("update the library") != std::string::npos);
  CHECK(sql(uri, "SELECT count(*) FROM resource_action_traces") == "1");
}

TEST_CASE("who may not create a schema is told, and uses one that was made for it", "[postgres][schema]") {
  const std::string database = database_of(fresh_database(shared_server()));
  const std::string role = "nobody_" + database;
  shared_server().run_sql(fmt::format("CREATE ROLE {} LOGIN PASSWORD 'x'", role));
  const std::string uri = shared_server().uri(database, role, "x");
  const auto try_open = [&] { open(uri, plain()); };
  CHECK(error_code_of(try_open) == ErrorCode::denied);
  CHECK(error_text_of(try_open).find("permission denied for database") != std::string::npos);
  CHECK(shared_server().run_sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'actionhist'", database) ==
        "0");
  shared_server().run_sql(fmt::format("CREATE SCHEMA actionhist AUTHORIZATION {}", role), database);
  CHECK(open(uri, plain()).record(restart("a", system_now())).stored);
}

TEST_CASE("verify tells of an old schema, and finds nothing in a new one", "[postgres][schema]") {
  const std::string uri = fresh_database(shared_server());
  Options look = plain();
  look.run_migrations = false;
  look.read_only = true;
  CHECK(open_repository(uri, look)->maintenance().info().schema_version == 0);
  CHECK(error_code_of([&] { open(uri, look); }) == ErrorCode::unsupported);
  CHECK(shared_server().run_sql("SELECT count(*) FROM pg_namespace WHERE nspname = 'actionhist'",
                                database_of(uri)) == "0");
  open(uri, plain()).record(restart("a", system_now()));
  CHECK(open(uri, look).repository().maintenance().verify().empty());
  sql(uri, "UPDATE action_histories SET total_actions = total_actions + 1");
  CHECK(open(uri, look).repository().maintenance().verify().size() == 1);
}

TEST_CASE("a disk that is full while the schema is made leaves none of it behind", "[postgres][schema]") {
  if (!can_mount()) {
    WARN("not allowed to mount a small disk: not tested here");
    return;
  }
  PostgresServer server({.fsync = false, .small_disk = "24m"});
  server.run_sql(fmt::format("CREATE DATABASE full_disk OWNER {} TABLESPACE small", app_role));
  const std::string uri = server.uri("full_disk");
  server.run_sql("CREATE TABLE public.ballast (w text)", "full_disk");
  server.run_sql(
      "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN LOOP BEGIN INSERT INTO public.ballast SELECT "
      "repeat('x', 500) FROM generate_series(1, 100); EXCEPTION WHEN disk_full THEN RETURN; END; COMMIT; "
      "END LOOP; END $$; ",
      "full_disk");
  server.run_sql("CALL fill()", "full_disk");
  const auto try_open = [&] { open(uri, plain()); };
  CHECK(error_code_of(try_open) == ErrorCode::unavailable);
  CHECK(error_text_of(try_open).find("disk of the database server is full") != std::string::npos);
  server.run_sql("DROP TABLE public.ballast", "full_disk");
  History history = open(uri, plain());
  CHECK(history.record(restart("a", system_now())).stored);
  CHECK(history.repository().maintenance().verify().empty());
}
