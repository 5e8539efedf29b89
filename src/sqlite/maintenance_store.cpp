#include "sqlite/maintenance_store.hpp"

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "sqlite/migrations.hpp"
#include "sqlite/text_index.hpp"

namespace actionhist::sqlite {
namespace {

int applied_version(Connection& connection) {
  Query table(connection,
              "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'actionhist_migrations'");
  if (!table.step()) return 0;
  Query version(connection, "SELECT ifnull(max(version), 0) FROM actionhist_migrations");
  version.step();
  return version.get<int>();
}

// The migration that made the text index.
constexpr int texts_since = 4;

constexpr const char* create_migrations =
    "CREATE TABLE IF NOT EXISTS actionhist_migrations (\n"
    "  version    INTEGER PRIMARY KEY,\n"
    "  name       TEXT NOT NULL,\n"
    "  applied_at INTEGER NOT NULL\n"
    ");\n";

}  // namespace

void SqliteMaintenanceStore::migrate() {
  const int latest = migrations().back().version;
  const auto version = [&] {
    return engine_.read([](Connection& connection) { return applied_version(connection); });
  };
  if (version() >= latest) return;
  engine_.write([&](Connection& connection) {
    connection.execute(create_migrations);
    // Another process may have been faster.
    const int applied = applied_version(connection);
    const bool without_texts = applied > 0 && applied < texts_since;
    for (const sql::Migration& migration : migrations()) {
      if (migration.version <= applied) continue;
      connection.execute(std::string(migration.sql));
      Query(connection, "INSERT INTO actionhist_migrations (version, name, applied_at) VALUES (?, ?, ?)")
          .bind_all(migration.version, migration.name, system_now())
          .run();
    }
    if (without_texts) add_all_texts(connection);
  });
}

std::string SqliteMaintenanceStore::migration_script() {
  const int applied = engine_.read([](Connection& connection) { return applied_version(connection); });
  std::string script = applied == 0 ? create_migrations : "";
  for (const sql::Migration& migration : migrations()) {
    if (migration.version > applied) script += fmt::format("\n-- {}\n{}", migration.name, migration.sql);
  }
  return script;
}

std::vector<std::string> SqliteMaintenanceStore::verify() {
  return engine_.read([&](Connection& connection) {
    std::vector<std::string> problems;
    Query integrity(connection, "PRAGMA quick_check(20)");
    while (integrity.step()) {
      const auto line = integrity.get<std::string>();
      if (line != "ok") problems.push_back("database file: " + line);
    }
    const std::string& tenant = engine_.tenant();
    const auto count = [&](const char* sql, const char* what) {
      Query query(connection, sql);
      query.bind(tenant).step();
      if (const auto n = query.get<std::int64_t>(); n > 0) problems.push_back(fmt::format("{} {}", n, what));
    };
    count(
        "SELECT count(*) FROM action_histories h WHERE tenant_id = ? AND total_actions <> (SELECT count(*) "
        "FROM resource_action_traces t WHERE t.tenant_id = h.tenant_id AND t.resource_id = h.resource_id)",
        "resources whose counter differs from their traces");
    count(
        "SELECT count(*) FROM resource_action_traces t WHERE tenant_id = ? AND NOT EXISTS (SELECT 1 FROM "
        "feed_subjects s WHERE s.tenant_id = t.tenant_id AND s.subject_id = t.action_id) AND NOT EXISTS "
        "(SELECT 1 FROM embedding_queue q WHERE q.tenant_id = t.tenant_id AND q.subject_id = t.action_id)",
        "actions that are neither in the feed nor in the queue");
    count(
        "SELECT abs((SELECT count(*) FROM resource_action_traces WHERE tenant_id = ?1) - (SELECT count(*) FROM "
        "action_texts WHERE tenant_id = ?1))",
        "actions more or less in the text index than there are");
    return problems;
  });
}

EngineInfo SqliteMaintenanceStore::info() {
  EngineInfo info;
  info.engine = "sqlite";
  info.location = engine_.options().path;
  info.version = sqlite3_libversion();
  info.schema_version = engine_.read([](Connection& connection) { return applied_version(connection); });
  info.schema_latest = migrations().back().version;
  info.durable = !engine_.in_memory();
  return info;
}

}  // namespace actionhist::sqlite
