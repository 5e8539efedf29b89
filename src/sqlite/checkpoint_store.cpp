#include "sqlite/checkpoint_store.hpp"

#include "sql/checkpoint_rows.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {
namespace {

constexpr const char* of_key =
    " WHERE tenant_id = ? AND thread_id = ? AND checkpoint_ns = ? AND checkpoint_id = ?";

Query& bind_key(Query& query, const std::string& tenant, const CheckpointKey& key) {
  return query.bind(tenant)
      .bind_text(key.thread_id)
      .bind_text(key.checkpoint_ns)
      .bind_text(key.checkpoint_id);
}

}  // namespace

void SqliteCheckpointStore::put(const Checkpoint& checkpoint) {
  engine_.write([&](Connection& connection) {
    Query query(
        connection,
        "INSERT INTO checkpoints (tenant_id, thread_id, checkpoint_ns, checkpoint_id, "
        "parent_checkpoint_id, format, metadata, created_at, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET parent_checkpoint_id = excluded.parent_checkpoint_id, "
        "format = excluded.format, metadata = excluded.metadata, created_at = excluded.created_at, "
        "state = excluded.state");
    bind_key(query, engine_.tenant(), checkpoint).bind(checkpoint.parent_id).bind_text(checkpoint.format);
    query.bind_all(checkpoint.metadata, checkpoint.created_at);
    query.bind_blob(checkpoint.state.data(), checkpoint.state.size()).run();
  });
}

void SqliteCheckpointStore::put_writes(const CheckpointKey& checkpoint,
                                       std::span<const CheckpointWrite> writes) {
  engine_.write([&](Connection& connection) {
    Query query(connection,
                "INSERT INTO checkpoint_writes (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, "
                "place, task_path, channel, format, value) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET task_path = excluded.task_path, channel = excluded.channel, "
                "format = excluded.format, value = excluded.value WHERE excluded.place < 0");
    for (const CheckpointWrite& write : writes) {
      bind_key(query, engine_.tenant(), checkpoint).bind_text(write.task_id).bind(write.place);
      query.bind_text(write.task_path).bind_text(write.channel).bind_text(write.format);
      query.bind_blob(write.value.data(), write.value.size()).run();
      query.reset();
    }
  });
}

std::vector<Checkpoint> SqliteCheckpointStore::scan(const CheckpointScan& scan) {
  std::string text =
      "SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, format, metadata, created_at, ";
  text += scan.states ? "state" : "NULL";
  text += " FROM checkpoints WHERE tenant_id = ?";
  if (!scan.thread_id.empty()) text += " AND thread_id = ?";
  if (scan.checkpoint_ns) text += " AND checkpoint_ns = ?";
  if (!scan.checkpoint_id.empty()) text += " AND checkpoint_id = ?";
  if (!scan.before.empty()) text += " AND checkpoint_id < ?";
  if (scan.after) text += " AND (checkpoint_id, thread_id, checkpoint_ns) < (?, ?, ?)";
  text += " ORDER BY checkpoint_id DESC, thread_id DESC, checkpoint_ns DESC LIMIT ?";
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    query.bind(engine_.tenant());
    if (!scan.thread_id.empty()) query.bind_text(scan.thread_id);
    if (scan.checkpoint_ns) query.bind_text(*scan.checkpoint_ns);
    if (!scan.checkpoint_id.empty()) query.bind_text(scan.checkpoint_id);
    if (!scan.before.empty()) query.bind_text(scan.before);
    if (scan.after) {
      query.bind_text(scan.after->checkpoint_id).bind_text(scan.after->thread_id);
      query.bind_text(scan.after->checkpoint_ns);
    }
    query.bind(scan.limit);
    return read_rows(query, sql::read_checkpoint<Query>);
  });
}

void SqliteCheckpointStore::read_writes(std::span<Checkpoint> checkpoints) {
  engine_.read([&](Connection& connection) {
    Query query(
        connection,
        std::string("SELECT task_id, task_path, place, channel, format, value FROM checkpoint_writes") +
            of_key + " ORDER BY task_path, task_id, place");
    for (Checkpoint& checkpoint : checkpoints) {
      bind_key(query, engine_.tenant(), checkpoint);
      checkpoint.writes = read_rows(query, sql::read_write<Query>);
      query.reset();
    }
  });
}

std::int64_t SqliteCheckpointStore::remove(std::span<const CheckpointKey> keys) {
  return engine_.write([&](Connection& connection) {
    Query states(connection, std::string("DELETE FROM checkpoints") + of_key);
    Query writes(connection, std::string("DELETE FROM checkpoint_writes") + of_key);
    std::int64_t removed = 0;
    for (const CheckpointKey& key : keys) {
      removed += bind_key(states, engine_.tenant(), key).run();
      bind_key(writes, engine_.tenant(), key).run();
      states.reset();
      writes.reset();
    }
    return removed;
  });
}

void SqliteCheckpointStore::remove_thread(std::string_view thread_id) {
  engine_.write([&](Connection& connection) {
    for (const char* table : {"checkpoints", "checkpoint_writes"}) {
      Query(connection, std::string("DELETE FROM ") + table + " WHERE tenant_id = ? AND thread_id = ?")
          .bind_all(engine_.tenant(), thread_id)
          .run();
    }
  });
}

void SqliteCheckpointStore::copy_thread(std::string_view source, std::string_view target) {
  engine_.write([&](Connection& connection) {
    Query(connection,
          "INSERT OR REPLACE INTO checkpoints (tenant_id, thread_id, checkpoint_ns, checkpoint_id, "
          "parent_checkpoint_id, format, state, metadata, created_at) SELECT tenant_id, ?3, checkpoint_ns, "
          "checkpoint_id, parent_checkpoint_id, format, state, metadata, created_at FROM checkpoints "
          "WHERE tenant_id = ?1 AND thread_id = ?2")
        .bind_all(engine_.tenant(), source, target)
        .run();
    Query(connection,
          "INSERT OR REPLACE INTO checkpoint_writes (tenant_id, thread_id, checkpoint_ns, checkpoint_id, "
          "task_id, place, task_path, channel, format, value) SELECT tenant_id, ?3, checkpoint_ns, "
          "checkpoint_id, task_id, place, task_path, channel, format, value FROM checkpoint_writes "
          "WHERE tenant_id = ?1 AND thread_id = ?2")
        .bind_all(engine_.tenant(), source, target)
        .run();
  });
}

}  // namespace actionhist::sqlite
