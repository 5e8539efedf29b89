// Checkpoints as rows, for both engines. A reader R has read(member) and blob(), column by column, as the engines'
// own readers do.
#pragma once

#include <actionhist/checkpoint_store.hpp>

namespace actionhist::sql {

// "thread_id, checkpoint_ns, checkpoint_id"
template <class R>
void read_key(R& row, CheckpointKey& key) {
  row.read(key.thread_id).read(key.checkpoint_ns).read(key.checkpoint_id);
}

// The key and "parent_checkpoint_id, format, metadata, created_at, state", without its writes.
template <class R>
Checkpoint read_checkpoint(R& row) {
  Checkpoint checkpoint;
  read_key(row, checkpoint);
  row.read(checkpoint.parent_id)
      .read(checkpoint.format)
      .read(checkpoint.metadata)
      .read(checkpoint.created_at);
  checkpoint.state = row.blob();
  return checkpoint;
}

// "task_id, task_path, place, channel, format, value"
template <class R>
CheckpointWrite read_write(R& row) {
  CheckpointWrite write;
  row.read(write.task_id).read(write.task_path).read(write.place).read(write.channel).read(write.format);
  write.value = row.blob();
  return write;
}

}  // namespace actionhist::sql
