// Where items are kept; a part of Repository, whose rules of threads and errors hold here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/json.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

// A path of labels, from the widest to the narrowest: {"users", "u-7", "preferences"}.
using Namespace = std::vector<std::string>;

struct ItemKey {
  Namespace namespace_;
  std::string key;

  friend auto operator<=>(const ItemKey&, const ItemKey&) = default;
};

struct Item : ItemKey {
  Json value;
  TimePoint created_at{};
  TimePoint updated_at{};
  std::optional<std::chrono::microseconds> ttl{};
  std::optional<TimePoint> expires_at{};
  std::optional<double> score{};  // when it was searched by meaning

  friend bool operator==(const Item&, const Item&) = default;
};

// An item with the vectors that it is found by, one after the other.
struct StoredItem : Item {
  std::string space_id;
  std::vector<float> vectors;
};

// Which items are read, in the order of namespace and key.
struct ItemScan {
  Namespace under;
  TimePoint now{};               // those that expire until then are passed over
  std::optional<ItemKey> after;  // where the page before ended
  bool vectors = false;          // whether they are read too
  int limit = 0;
};

class ItemStore {
 public:
  virtual ~ItemStore() = default;

  // Stores or replaces. An item that was there keeps its created_at, unless its time was over.
  // REQUIRES: distinct keys, in order.
  virtual void put(std::span<const StoredItem> items) = 0;
  // REQUIRES: distinct keys, in order.
  virtual void remove(std::span<const ItemKey> keys) = 0;
  // Those that are there and whose time is not over, in any order.
  virtual std::vector<Item> get(std::span<const ItemKey> keys, TimePoint now) = 0;
  // Starts the time to live of those that have one anew. REQUIRES: distinct keys, in order.
  virtual void renew(std::span<const ItemKey> keys, TimePoint now) = 0;

  virtual std::vector<StoredItem> scan(const ItemScan& scan) = 0;
  // Those that were written last first, then by key. `scan.after` and `scan.vectors` do not count.
  virtual std::vector<Item> newest(const ItemScan& scan, int offset) = 0;
  // The namespaces that hold items, in order.
  virtual std::vector<Namespace> namespaces(const Namespace& under, TimePoint now) = 0;

  // Removes items whose time is over, oldest first, and returns how many.
  virtual std::int64_t expire(TimePoint now, int limit) = 0;
};

}  // namespace actionhist
