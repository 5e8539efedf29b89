#include "postgres/checkpoint_store.hpp"

#include <map>

#include <fmt/format.h>

#include "sql/checkpoint_rows.hpp"

namespace actionhist::postgres {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

Parameters of_key(const std::string& tenant, const CheckpointKey& key) {
  Parameters parameters(tenant);
  parameters.add_text(key.thread_id).add_text(key.checkpoint_ns).add_text(key.checkpoint_id);
  return parameters;
}

// The tenant and three arrays for unnest.
template <class Key>
Parameters of_keys(const std::string& tenant, std::span<Key> keys) {
  std::vector<std::string> threads, spaces, ids;
  for (const CheckpointKey& key : keys) {
    threads.push_back(key.thread_id);
    spaces.push_back(key.checkpoint_ns);
    ids.push_back(key.checkpoint_id);
  }
  return Parameters(tenant, threads, spaces, ids);
}

constexpr std::string_view these =
    "unnest($2::text[], $3::text[], $4::text[]) AS these(thread_id, checkpoint_ns, checkpoint_id)";
constexpr std::string_view is_one =
    "c.tenant_id = $1 AND c.thread_id = these.thread_id COLLATE \"C\" AND c.checkpoint_ns = "
    "these.checkpoint_ns COLLATE \"C\" AND c.checkpoint_id = these.checkpoint_id COLLATE \"C\"";

}  // namespace

void PostgresCheckpointStore::put(const Checkpoint& checkpoint) {
  Parameters parameters = of_key(engine_.tenant(), checkpoint);
  parameters.add(checkpoint.parent_id).add_text(checkpoint.format).add_bytes(bytes_of(checkpoint.state));
  parameters.add(checkpoint.metadata).add(checkpoint.created_at);
  engine_.run(
      "INSERT INTO checkpoints (tenant_id, thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, "
      "format, state, metadata, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
      "ON CONFLICT (tenant_id, thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET "
      "parent_checkpoint_id = excluded.parent_checkpoint_id, format = excluded.format, state = excluded.state, "
      "metadata = excluded.metadata, created_at = excluded.created_at",
      std::move(parameters));
}

void PostgresCheckpointStore::put_writes(const CheckpointKey& checkpoint,
                                         std::span<const CheckpointWrite> writes) {
  std::vector<std::string> tasks, paths, channels, formats;
  std::vector<std::int64_t> places;
  std::vector<std::span<const std::byte>> values;
  for (const CheckpointWrite& write : writes) {
    tasks.push_back(write.task_id);
    places.push_back(write.place);
    paths.push_back(write.task_path);
    channels.push_back(write.channel);
    formats.push_back(write.format);
    values.push_back(bytes_of(write.value));
  }
  Parameters parameters = of_key(engine_.tenant(), checkpoint);
  parameters.add(tasks).add(places).add(paths).add(channels).add(formats).add_byte_arrays(values);
  engine_.run(
      "INSERT INTO checkpoint_writes (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, place, "
      "task_path, channel, format, value) SELECT $1, $2, $3, $4, * FROM unnest($5::text[], $6::int8[], "
      "$7::text[], $8::text[], $9::text[], $10::bytea[]) "
      "ON CONFLICT (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, place) DO UPDATE SET "
      "task_path = excluded.task_path, channel = excluded.channel, format = excluded.format, "
      "value = excluded.value WHERE excluded.place < 0",
      std::move(parameters));
}

std::vector<Checkpoint> PostgresCheckpointStore::scan(const CheckpointScan& scan) {
  std::string text =
      "SELECT thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, format, metadata, created_at, ";
  text += scan.states ? "state" : "NULL::bytea";
  text += " FROM checkpoints WHERE tenant_id = $1";
  Parameters parameters(engine_.tenant());
  int count = 1;
  const auto where = [&](std::string_view condition, std::string_view value) {
    text += fmt::format(" AND {} ${}", condition, ++count);
    parameters.add_text(value);
  };
  if (!scan.thread_id.empty()) where("thread_id =", scan.thread_id);
  if (scan.checkpoint_ns) where("checkpoint_ns =", *scan.checkpoint_ns);
  if (!scan.checkpoint_id.empty()) where("checkpoint_id =", scan.checkpoint_id);
  if (!scan.before.empty()) where("checkpoint_id <", scan.before);
  if (scan.after) {
    text += fmt::format(" AND (checkpoint_id, thread_id, checkpoint_ns) < (${}, ${}, ${})", count + 1,
                        count + 2, count + 3);
    parameters.add_text(scan.after->checkpoint_id).add_text(scan.after->thread_id);
    parameters.add_text(scan.after->checkpoint_ns);
    count += 3;
  }
  text += fmt::format(" ORDER BY checkpoint_id DESC, thread_id DESC, checkpoint_ns DESC LIMIT ${}", ++count);
  parameters.add(std::int64_t{scan.limit});
  const Result result = engine_.run(text, std::move(parameters));
  return read_rows(result, sql::read_checkpoint<Reader>);
}

void PostgresCheckpointStore::read_writes(std::span<Checkpoint> checkpoints) {
  static const std::string text = fmt::format(
      "SELECT c.thread_id, c.checkpoint_ns, c.checkpoint_id, c.task_id, c.task_path, c.place, "
      "c.channel, c.format, c.value FROM checkpoint_writes c JOIN {} ON {} "
      "ORDER BY c.task_path, c.task_id, c.place",
      these, is_one);
  const Result result = engine_.run(text, of_keys(engine_.tenant(), checkpoints));
  std::map<CheckpointKey, Checkpoint*> by_key;
  for (Checkpoint& checkpoint : checkpoints) by_key.emplace(checkpoint, &checkpoint);
  for (Reader reader(result); reader.next();) {
    CheckpointKey key;
    sql::read_key(reader, key);
    by_key.at(key)->writes.push_back(sql::read_write(reader));
  }
}

std::int64_t PostgresCheckpointStore::remove(std::span<const CheckpointKey> keys) {
  static const std::string states = fmt::format("DELETE FROM checkpoints c USING {} WHERE {}", these, is_one);
  static const std::string writes =
      fmt::format("DELETE FROM checkpoint_writes c USING {} WHERE {}", these, is_one);
  std::vector<Call> calls;
  calls.push_back({states, of_keys(engine_.tenant(), keys)});
  calls.push_back({writes, of_keys(engine_.tenant(), keys)});
  return engine_.run(std::move(calls)).front().affected();
}

void PostgresCheckpointStore::remove_thread(std::string_view thread_id) {
  std::vector<Call> calls;
  calls.push_back({"DELETE FROM checkpoints WHERE tenant_id = $1 AND thread_id = $2",
                   Parameters(engine_.tenant(), thread_id)});
  calls.push_back({"DELETE FROM checkpoint_writes WHERE tenant_id = $1 AND thread_id = $2",
                   Parameters(engine_.tenant(), thread_id)});
  engine_.run(std::move(calls));
}

void PostgresCheckpointStore::copy_thread(std::string_view source, std::string_view target) {
  std::vector<Call> calls;
  calls.push_back(
      {"INSERT INTO checkpoints (tenant_id, thread_id, checkpoint_ns, checkpoint_id, parent_checkpoint_id, "
       "format, state, metadata, created_at) SELECT tenant_id, $3, checkpoint_ns, checkpoint_id, "
       "parent_checkpoint_id, format, state, metadata, created_at FROM checkpoints WHERE tenant_id = $1 AND "
       "thread_id = $2 ON CONFLICT (tenant_id, thread_id, checkpoint_ns, checkpoint_id) DO UPDATE SET "
       "parent_checkpoint_id = excluded.parent_checkpoint_id, format = excluded.format, state = excluded.state, "
       "metadata = excluded.metadata, created_at = excluded.created_at",
       Parameters(engine_.tenant(), source, target)});
  calls.push_back(
      {"INSERT INTO checkpoint_writes (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, place, "
       "task_path, channel, format, value) SELECT tenant_id, $3, checkpoint_ns, checkpoint_id, task_id, place, "
       "task_path, channel, format, value FROM checkpoint_writes WHERE tenant_id = $1 AND thread_id = $2 "
       "ON CONFLICT (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, place) DO UPDATE SET "
       "task_path = excluded.task_path, channel = excluded.channel, format = excluded.format, "
       "value = excluded.value",
       Parameters(engine_.tenant(), source, target)});
  engine_.run(std::move(calls));
}

}  // namespace actionhist::postgres
