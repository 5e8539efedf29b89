// What actionhist.h declares of checkpoints. Bytes are base64 in JSON.
#include "core/base64.hpp"
#include "operate.hpp"
#include "request.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::capi;

CheckpointKey read_key(FieldReader& reader) {
  CheckpointKey key;
  reader("thread_id", key.thread_id);
  reader("checkpoint_ns", key.checkpoint_ns);
  reader("checkpoint_id", key.checkpoint_id);
  return key;
}

std::string read_bytes(FieldReader& reader, std::string_view name) {
  std::string text;
  reader(name, text);
  auto bytes = from_base64(text);
  if (!bytes) refuse(reader.path(name), "must be base64, with padding");
  return *std::move(bytes);
}

CheckpointWrite read_write(FieldReader& reader) {
  CheckpointWrite write;
  reader("task_id", write.task_id);
  reader("task_path", write.task_path);
  reader("place", write.place);
  reader("channel", write.channel);
  reader("format", write.format);
  write.value = read_bytes(reader, "value");
  return write;
}

// checkpoint_ns is there even if it is empty, for that means the graph at the top.
void write_key(JsonWriter& writer, const CheckpointKey& key) {
  writer.member("thread_id", key.thread_id).member("checkpoint_ns", key.checkpoint_ns);
  writer.member("checkpoint_id", key.checkpoint_id);
}

void write(JsonWriter& writer, const Checkpoint& checkpoint, bool states) {
  writer.begin_object();
  write_key(writer, checkpoint);
  FieldWriter put(writer);
  put("parent_id", checkpoint.parent_id);
  put("format", checkpoint.format);
  put("metadata", checkpoint.metadata);
  put("created_at", checkpoint.created_at);
  if (states) {
    writer.member("state", to_base64(checkpoint.state)).key("writes").begin_array();
    for (const CheckpointWrite& each : checkpoint.writes) {
      writer.begin_object();
      put("task_id", each.task_id);
      put("task_path", each.task_path);
      put("place", each.place);
      put("channel", each.channel);
      put("format", each.format);
      writer.member("value", to_base64(each.value)).end_object();
    }
    writer.end_array();
  }
  writer.end_object();
}

}  // namespace

ACTIONHIST_OPERATION(put_checkpoint) {
  Request request(text);
  Checkpoint checkpoint;
  static_cast<CheckpointKey&>(checkpoint) = read_key(request.members());
  checkpoint.parent_id = request.text("parent_id");
  checkpoint.format = request.text("format");
  checkpoint.state = read_bytes(request.members(), "state");
  request.read("metadata", checkpoint.metadata);
  request.done();
  history.checkpoints().put(checkpoint);
  return std::string(null);
}

ACTIONHIST_OPERATION(put_checkpoint_writes) {
  Request request(text);
  const CheckpointKey key = read_key(request.members());
  std::vector<CheckpointWrite> writes;
  request.each("writes", [&](FieldReader& write) { writes.push_back(read_write(write)); });
  request.done();
  history.checkpoints().put_writes(key, writes);
  return std::string(null);
}

ACTIONHIST_OPERATION(find_checkpoints) {
  Request request(text);
  FieldReader& members = request.members();
  CheckpointQuery query;
  query.thread_id = request.text("thread_id");
  read_given(members, "checkpoint_ns", query.checkpoint_ns);
  query.checkpoint_id = request.text("checkpoint_id");
  query.before = request.text("before");
  request.read("where", query.where);
  request.read("states", query.states);
  request.read("limit", query.limit);
  if (const auto after = members.take("after")) {
    FieldReader key(*after, "after", "after.");
    query.after = read_key(key);
    key.expect_done();
  }
  request.done();
  JsonWriter writer;
  writer.begin_array();
  for (const Checkpoint& each : history.checkpoints().find(query)) write(writer, each, query.states);
  return writer.end_array().take();
}

ACTIONHIST_OPERATION(remove_checkpoints) {
  Request request(text);
  std::vector<CheckpointKey> keys;
  request.each("keys", [&](FieldReader& key) { keys.push_back(read_key(key)); });
  request.done();
  return std::to_string(history.checkpoints().remove(keys));
}

ACTIONHIST_OPERATION(remove_checkpoint_thread) {
  Request request(text);
  const std::string thread_id = request.required_text("thread_id");
  request.done();
  history.checkpoints().remove_thread(thread_id);
  return std::string(null);
}

ACTIONHIST_OPERATION(copy_checkpoint_thread) {
  Request request(text);
  const std::string source = request.required_text("source");
  const std::string target = request.required_text("target");
  request.done();
  history.checkpoints().copy_thread(source, target);
  return std::string(null);
}
