// The states of an agent's runs, so that one can be resumed, replayed and branched, as the checkpointers of agent
// frameworks have them. What a state holds is the host's affair. History::checkpoints() gives a Checkpoints,
// which may be used from any thread at once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/checkpoint_store.hpp>

namespace actionhist {

class Repository;

struct CheckpointQuery {
  std::string thread_id{};                     // empty: of all threads
  std::optional<std::string> checkpoint_ns{};  // absent: of all namespaces
  std::string checkpoint_id{};                 // this one
  std::string before{};                        // only ids before this one
  Json where{};                                // a filter of the metadata, in the language of ActionQuery
  bool states = true;                          // whether states and writes are read too
  int limit = 100;                             // 1 to 10,000
  std::optional<CheckpointKey> after{};        // the last key of the page before
};

class Checkpoints {
 public:
  // `repository` must outlive it; `clock` as in Options.
  Checkpoints(Repository& repository, Clock clock) : repository_(repository), clock_(std::move(clock)) {}

  // Stores a checkpoint without its writes, or replaces it. Throws Error: invalid_argument, unavailable.
  void put(const Checkpoint& checkpoint);

  // Stores what tasks wrote after a checkpoint, in one transaction. A write with the place of a stored one
  // replaces it if the place is negative, and is passed over if not.
  void put_writes(const CheckpointKey& checkpoint, std::span<const CheckpointWrite> writes);

  // Newest ids first, each with its writes by task path, task and place.
  std::vector<Checkpoint> find(const CheckpointQuery& query);

  // Removes checkpoints with their writes, in one transaction, and says how many there were; with PostgreSQL fewer if
  // the answer to a first try was lost.
  std::int64_t remove(std::span<const CheckpointKey> keys);

  // Removes all of a thread, or copies it under another name; what that had under the same keys is replaced.
  void remove_thread(std::string_view thread_id);
  void copy_thread(std::string_view source, std::string_view target);

 private:
  Repository& repository_;
  Clock clock_;
};

}  // namespace actionhist
