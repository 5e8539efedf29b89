// Where checkpoints of runs are kept; a part of Repository, whose rules of threads and errors hold here.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/json.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

struct CheckpointKey {
  std::string thread_id;
  std::string checkpoint_ns;  // of a graph within the graph; empty at the top
  std::string checkpoint_id;

  friend auto operator<=>(const CheckpointKey&, const CheckpointKey&) = default;
};

// What a task wrote after a checkpoint, to be applied by the next one.
struct CheckpointWrite {
  std::string task_id;
  std::string task_path;
  std::int64_t place = 0;  // among the writes of its task; special ones have negative places
  std::string channel;
  std::string format;  // how `value` is to be read
  std::string value;   // bytes

  friend bool operator==(const CheckpointWrite&, const CheckpointWrite&) = default;
};

struct Checkpoint : CheckpointKey {
  std::string parent_id;  // the checkpoint before; empty for the first
  std::string format;     // how `state` is to be read
  std::string state;      // bytes
  Json metadata;
  TimePoint created_at{};
  std::vector<CheckpointWrite> writes{};

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// Which checkpoints are read. What is empty or absent does not count.
struct CheckpointScan {
  std::string thread_id;
  std::optional<std::string> checkpoint_ns;
  std::string checkpoint_id;
  std::string before;
  std::optional<CheckpointKey> after;
  bool states = true;  // whether they are read too
  int limit = 0;
};

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // Stores a checkpoint without its writes, or replaces it.
  virtual void put(const Checkpoint& checkpoint) = 0;
  // A write with the place of a stored one replaces it if the place is negative, and is passed over if not.
  virtual void put_writes(const CheckpointKey& checkpoint, std::span<const CheckpointWrite> writes) = 0;
  // By checkpoint_id, thread_id and checkpoint_ns, all descending, without their writes.
  virtual std::vector<Checkpoint> scan(const CheckpointScan& scan) = 0;
  // Reads the writes of each, by task path, task and place.
  virtual void read_writes(std::span<Checkpoint> checkpoints) = 0;
  // With their writes; how many there were.
  virtual std::int64_t remove(std::span<const CheckpointKey> keys) = 0;
  // All that a thread has, or all of it under another name; what that has under the same keys is replaced.
  virtual void remove_thread(std::string_view thread_id) = 0;
  virtual void copy_thread(std::string_view source, std::string_view target) = 0;
};

}  // namespace actionhist
