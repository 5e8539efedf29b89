#include "postgres/maintenance_store.hpp"

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "postgres/indexes.hpp"
#include "postgres/migrations.hpp"

namespace actionhist::postgres {
namespace {

constexpr std::string_view create_migrations =
    "CREATE TABLE IF NOT EXISTS actionhist_migrations (\n"
    "  version    int PRIMARY KEY,\n"
    "  name       text NOT NULL,\n"
    "  applied_at timestamptz NOT NULL DEFAULT now()\n"
    ");\n";

// The month of now and the three after it.
constexpr std::string_view first_months =
    "SELECT actionhist_ensure_month(now() + make_interval(months => m)) FROM generate_series(0, 3) AS m;\n";

// What stands before and after the statements of a script that is run by hand.
std::string in_schema(const std::string& schema, std::string_view statements) {
  return fmt::format(
      "BEGIN;\n"
      // A large memory takes its time, and who comes second waits for the first.
      "SET LOCAL statement_timeout = 0;\n"
      "SET LOCAL lock_timeout = 0;\n"
      // First of all: two that make the schema at once would meet each other.
      "SELECT pg_advisory_xact_lock(hashtextextended('actionhist_migrations {0}', 0));\n"
      // Without the right to create schemas even IF NOT EXISTS is refused, and somebody may have made it for us.
      "DO $schema$ BEGIN IF to_regnamespace('\"{0}\"') IS NULL THEN CREATE SCHEMA \"{0}\"; END IF; END $schema$;\n"
      // What a session made for itself comes last: functions keep this path, and run with the owner's rights.
      "SET LOCAL search_path = \"{0}\", pg_temp;\n"
      "{1}"
      "COMMIT;\n",
      schema, statements);
}

std::string steps_after(int applied) {
  std::string script(create_migrations);
  for (const sql::Migration& migration : migrations()) {
    if (migration.version <= applied) continue;
    script +=
        fmt::format("\n-- {0}\n{1}\nINSERT INTO actionhist_migrations (version, name) VALUES ({2}, '{0}');\n",
                    migration.name, migration.sql, migration.version);
  }
  return script;
}

// A connection that waits for its server's answers as long as they take.
class Unhurried {
 public:
  explicit Unhurried(Connection& connection) : connection_(connection) {
    connection.set_patience(std::chrono::milliseconds(0));
  }
  ~Unhurried() { connection_.set_patience(std::nullopt); }
  Unhurried(const Unhurried&) = delete;
  Unhurried& operator=(const Unhurried&) = delete;

 private:
  Connection& connection_;
};

}  // namespace

int PostgresMaintenanceStore::applied_version(bool at_once) {
  // A schema that the login may not use looks as if it were not there.
  const std::string& schema = engine_.options().schema;
  const std::string table = fmt::format(
      "SELECT to_regclass('actionhist_migrations') IS NOT NULL, coalesce((SELECT has_schema_privilege(oid, "
      "'USAGE') FROM pg_namespace WHERE nspname = '{}'), true)",
      schema);
  constexpr std::string_view version = "SELECT coalesce(max(version), 0) FROM actionhist_migrations";
  const auto ask = [&](std::string_view sql) { return at_once ? engine_.try_now(sql) : engine_.run(sql); };
  const Result known = ask(table);
  Reader exists(known);
  if (!exists.next()) return 0;
  const auto there = exists.get<bool>();
  if (!exists.get<bool>()) {
    throw Error(
        ErrorCode::denied,
        fmt::format("database: this login may not use the schema \"{}\"; make it a member of a role of "
                    "`actionhist migrate --print-roles`",
                    schema));
  }
  if (!there) return 0;
  const Result result = ask(version);
  Reader reader(result);
  return reader.next() ? reader.get<int>() : 0;
}

void PostgresMaintenanceStore::migrate() {
  if (applied_version(true) < migrations().back().version) apply_migrations();
  const std::vector<IndexSet>& indexes = engine_.options().indexes;
  if (!indexes.empty()) apply_indexes(engine_, indexes);
}

void PostgresMaintenanceStore::apply_migrations() {
  engine_.apart([&](Connection& connection) {
    const Unhurried unhurried(connection);
    // Under the lock the version is looked at once more: another process may have been faster. The check is a
    // statement of the script, because a script has no place to decide.
    for (const sql::Migration& migration : migrations()) {
      const std::string step = fmt::format(
          "{0}"
          "DO $migration$ BEGIN IF NOT EXISTS (SELECT FROM actionhist_migrations WHERE version = {1}) THEN\n"
          "EXECUTE $statements${2}$statements$;\n"
          "INSERT INTO actionhist_migrations (version, name) VALUES ({1}, '{3}');\n"
          "END IF; END $migration$;\n",
          create_migrations, migration.version, migration.sql, migration.name);
      connection.run_script(in_schema(engine_.options().schema, step));
    }
    connection.run_script(in_schema(engine_.options().schema, first_months));
  });
}

std::string PostgresMaintenanceStore::migration_script() {
  const int applied = applied_version(true);
  std::string script;
  if (applied < migrations().back().version) {
    script = in_schema(engine_.options().schema, steps_after(applied) + std::string(first_months));
  }
  const std::vector<IndexSet>& indexes = engine_.options().indexes;
  if (!indexes.empty()) script += index_script(engine_, indexes);
  return script;
}

std::vector<std::string> PostgresMaintenanceStore::verify() {
  std::vector<std::string> problems;
  const auto count = [&](std::string_view sql, std::string_view what) {
    const Result result = engine_.run(sql, Parameters(engine_.tenant()), Plan::once);
    Reader reader(result);
    if (!reader.next()) return;
    if (const auto n = reader.get<std::int64_t>(); n > 0) problems.push_back(fmt::format("{} {}", n, what));
  };
  count(
      "SELECT count(*) FROM action_histories h LEFT JOIN (SELECT resource_id, count(*) AS n FROM "
      "resource_action_traces WHERE tenant_id = $1 GROUP BY resource_id) t USING (resource_id) "
      "WHERE h.tenant_id = $1 AND h.total_actions <> coalesce(t.n, 0)",
      "resources whose counter differs from their traces");
  count(
      "SELECT count(*) FROM action_histories h WHERE tenant_id = $1 AND total_actions > 0 AND NOT EXISTS (SELECT FROM "
      "resource_references r WHERE r.tenant_id = $1 AND r.resource_id = h.resource_id)",
      "resources that are not described: their actions are not found by kind and name");
  count(
      "SELECT count(*) FROM resource_action_traces t WHERE tenant_id = $1 AND NOT EXISTS (SELECT FROM "
      "feed_subjects s WHERE s.tenant_id = $1 AND s.subject_id = t.action_id) AND NOT EXISTS "
      "(SELECT FROM embedding_queue q WHERE q.tenant_id = $1 AND q.subject_id = t.action_id)",
      "actions that are neither in the feed nor in the queue");
  count(
      "SELECT count(*) FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE $1::text IS NOT NULL AND "
      "i.inhparent = 'resource_action_traces'::regclass AND EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE "
      "a.grantee <> c.relowner AND (NOT c.relrowsecurity OR a.privilege_type IN ('TRUNCATE', 'REFERENCES', "
      "'TRIGGER')))",
      "partitions that somebody was granted: the tenants are not apart there");
  for (const std::string& index : incomplete_indexes(engine_)) {
    problems.push_back(fmt::format("index {} is incomplete; run actionhist migrate --indexes again", index));
  }
  return problems;
}

EngineInfo PostgresMaintenanceStore::info() {
  EngineInfo info;
  info.engine = "postgresql";
  info.location = engine_.target().location();
  const Result version = engine_.try_now("SELECT current_setting('server_version')");
  if (Reader reader(version); reader.next()) reader.read(info.version);
  info.schema_version = applied_version(true);
  info.schema_latest = migrations().back().version;
  info.durable = true;
  return info;
}

}  // namespace actionhist::postgres
