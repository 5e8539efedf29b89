// Checkpoints in SQLite. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/checkpoint_store.hpp>

#include "sqlite/engine.hpp"

namespace actionhist::sqlite {

class SqliteCheckpointStore final : public CheckpointStore {
 public:
  explicit SqliteCheckpointStore(Engine& engine) : engine_(engine) {}

  void put(const Checkpoint& checkpoint) override;
  void put_writes(const CheckpointKey& checkpoint, std::span<const CheckpointWrite> writes) override;
  std::vector<Checkpoint> scan(const CheckpointScan& scan) override;
  void read_writes(std::span<Checkpoint> checkpoints) override;
  std::int64_t remove(std::span<const CheckpointKey> keys) override;
  void remove_thread(std::string_view thread_id) override;
  void copy_thread(std::string_view source, std::string_view target) override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::sqlite
