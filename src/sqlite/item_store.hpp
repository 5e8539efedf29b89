// Items in SQLite. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/item_store.hpp>

#include "sqlite/engine.hpp"

namespace actionhist::sqlite {

class SqliteItemStore final : public ItemStore {
 public:
  explicit SqliteItemStore(Engine& engine) : engine_(engine) {}

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

}  // namespace actionhist::sqlite
