// Items and checkpoints in PostgreSQL. Thread rule and contracts: the interfaces.
#pragma once

#include <actionhist/checkpoint_store.hpp>
#include <actionhist/item_store.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresItemStore final : public ItemStore {
 public:
  explicit PostgresItemStore(Engine& engine) : engine_(engine) {}

  void put(std::span<const StoredItem> items) override;
  void remove(std::span<const ItemKey> keys) override;
  std::vector<Item> get(std::span<const ItemKey> keys, TimePoint now) override;
  void renew(std::span<const ItemKey> keys, TimePoint now) override;
  std::vector<StoredItem> scan(const ItemScan& scan) override;
  std::vector<Item> newest(const ItemScan& scan, int offset) override;
  std::vector<Namespace> namespaces(const Namespace& under, TimePoint now) override;
  std::int64_t expire(TimePoint now, int limit) override;

 private:
  Engine& engine_;
};

class PostgresCheckpointStore final : public CheckpointStore {
 public:
  explicit PostgresCheckpointStore(Engine& engine) : engine_(engine) {}

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

}  // namespace actionhist::postgres
