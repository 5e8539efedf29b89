// The checkpoints of a History, for actionhist.Checkpoints.
#include <pybind11/stl.h>

#include "convert.hpp"
#include "handle.hpp"

namespace actionhist::python {
namespace {

std::string to_bytes(py::handle value, std::string_view field) {
  if (!PyBytes_Check(value.ptr())) wrong_type(field, "bytes", value);
  return py::reinterpret_borrow<py::bytes>(value);
}

py::tuple to_fields(py::handle given, std::string_view field, std::string_view type, std::size_t size) {
  if (!PyTuple_Check(given.ptr()) || py::len(given) != size) wrong_type(field, type, given);
  return py::reinterpret_borrow<py::tuple>(given);
}

CheckpointKey to_key(py::handle given) {
  const py::tuple parts = to_fields(given, "key", "a CheckpointKey", 3);
  return {to_text(parts[0], "thread_id"), to_text(parts[1], "checkpoint_ns"),
          to_text(parts[2], "checkpoint_id")};
}

// task_id, task_path, place, channel, format, value
CheckpointWrite to_write(py::handle given) {
  const py::tuple parts = to_fields(given, "write", "a CheckpointWrite", 6);
  return {to_text(parts[0], "task_id"), to_text(parts[1], "task_path"), to_int(parts[2], "place"),
          to_text(parts[3], "channel"), to_text(parts[4], "format"),    to_bytes(parts[5], "value")};
}

// In the order of the fields of actionhist.CheckpointWrite and actionhist.Checkpoint.
py::tuple from_write(const CheckpointWrite& write) {
  return py::make_tuple(write.task_id, write.task_path, write.place, write.channel, write.format,
                        py::bytes(write.value));
}

py::tuple from_checkpoint(const Checkpoint& checkpoint) {
  py::list writes;
  for (const CheckpointWrite& write : checkpoint.writes) writes.append(from_write(write));
  const py::object parent =
      checkpoint.parent_id.empty() ? py::none() : py::object(py::str(checkpoint.parent_id));
  const py::object metadata =
      checkpoint.metadata.absent() ? py::dict() : from_json(checkpoint.metadata.text());
  return py::make_tuple(checkpoint.thread_id, checkpoint.checkpoint_ns, checkpoint.checkpoint_id, parent,
                        checkpoint.format, py::bytes(checkpoint.state), metadata,
                        from_time(checkpoint.created_at), writes);
}

void put(const Handle& self, const py::tuple& key, const py::object& parent, const py::object& format,
         const py::object& state, const py::object& metadata) {
  Checkpoint checkpoint;
  static_cast<CheckpointKey&>(checkpoint) = to_key(key);
  checkpoint.parent_id = to_optional_text(parent, "parent_id");
  checkpoint.format = to_text(format, "format");
  checkpoint.state = to_bytes(state, "state");
  if (!metadata.is_none())
    checkpoint.metadata = Json::parse(to_json(metadata, "metadata", "metadata"), "metadata");
  self.call([&](History& history) { history.checkpoints().put(checkpoint); });
}

py::list find(const Handle& self, const py::object& thread_id, const py::object& checkpoint_ns,
              const py::object& checkpoint_id, const py::object& before, const py::object& where,
              const py::object& states, const py::object& limit, const py::object& after) {
  CheckpointQuery query;
  query.thread_id = to_optional_text(thread_id, "thread_id");
  if (!checkpoint_ns.is_none()) query.checkpoint_ns = to_text(checkpoint_ns, "checkpoint_ns");
  query.checkpoint_id = to_optional_text(checkpoint_id, "checkpoint_id");
  query.before = to_optional_text(before, "before");
  query.where = to_where(where);
  query.states = to_flag(states, "states");
  query.limit = to_int(limit, "limit");
  if (!after.is_none()) query.after = to_key(after);
  py::list found;
  for (const Checkpoint& each :
       self.call([&](History& history) { return history.checkpoints().find(query); })) {
    found.append(from_checkpoint(each));
  }
  return found;
}

}  // namespace

void bind_checkpoints(py::class_<Handle>& type) {
  type.def("put_checkpoint", &put);
  type.def("put_checkpoint_writes", [](const Handle& self, const py::tuple& key, const py::list& given) {
    const CheckpointKey checkpoint = to_key(key);
    std::vector<CheckpointWrite> writes;
    for (const py::handle each : given) writes.push_back(to_write(each));
    self.call([&](History& history) { history.checkpoints().put_writes(checkpoint, writes); });
  });
  type.def("find_checkpoints", &find);
  type.def("remove_checkpoints", [](const Handle& self, const py::list& given) {
    std::vector<CheckpointKey> keys;
    for (const py::handle each : given) keys.push_back(to_key(each));
    return self.call([&](History& history) { return history.checkpoints().remove(keys); });
  });
  type.def("remove_checkpoint_thread", [](const Handle& self, const py::object& thread_id) {
    const std::string thread = to_text(thread_id, "thread_id");
    self.call([&](History& history) { history.checkpoints().remove_thread(thread); });
  });
  type.def("copy_checkpoint_thread",
           [](const Handle& self, const py::object& source, const py::object& target) {
             const std::string from = to_text(source, "source");
             const std::string to = to_text(target, "target");
             self.call([&](History& history) { history.checkpoints().copy_thread(from, to); });
           });
}

}  // namespace actionhist::python
