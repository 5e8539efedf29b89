// Things that agents keep beside their actions: JSON objects under a key in a namespace, as the stores of agent
// frameworks have them. History::items() gives an Items, which may be used from any thread at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <actionhist/embedding.hpp>
#include <actionhist/item_store.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

class Redactor;
class Repository;

// What is written of an item: put, or removed when it has no value.
struct ItemChange {
  Namespace namespace_;
  std::string key;
  Json value;                                      // an object; absent removes the item
  std::optional<std::chrono::microseconds> ttl{};  // from its last write or renewal, at most a hundred years
  // What the item is found by: all text in its value if absent, and nothing if empty.
  std::optional<std::vector<std::string>> texts{};
  // Vectors of the host in place of the texts, all of one dimension, and the space that they belong to.
  std::string space_id{};
  std::vector<std::vector<float>> vectors{};
};

struct ItemQuery {
  Namespace under{};            // a prefix; empty: everywhere
  std::string text{};           // by meaning: one of these or none
  std::vector<float> vector{};  // of `space_id`
  std::string space_id{};
  Json where{};       // a filter of the values, in the language of ActionQuery
  int limit = 10;     // 1 to 10,000
  int offset = 0;     // how many to pass over
  bool renew = true;  // items with a time to live begin it again
};

// Which namespaces to list. "*" in prefix and suffix stands for any one label.
struct NamespaceQuery {
  Namespace prefix{};
  Namespace suffix{};
  std::optional<int> max_depth{};  // longer ones are cut there and listed once
  int limit = 100;                 // 1 to 10,000
  int offset = 0;
};

// Values are kept as they are given, for they are the host's own state. The model sees their texts without secrets.
class Items {
 public:
  // All that is given by reference must outlive the Items; `clock` and `read_only` as in Options: then nothing is
  // renewed. Without a redactor the model sees all.
  Items(Repository& repository, const EmbeddingModel& model, Clock clock, bool read_only = false,
        const Redactor* redactor = nullptr)
      : repository_(repository),
        model_(model),
        clock_(std::move(clock)),
        read_only_(read_only),
        redactor_(redactor) {}

  // Writes all in one transaction; of two changes of one item the later counts. On error nothing is written.
  // Throws Error: invalid_argument, unavailable.
  void put(std::span<const ItemChange> changes);

  // In the order of the keys; absent where there is none, or its time is over.
  std::vector<std::optional<Item>> get(std::span<const ItemKey> keys, bool renew = true);

  // With a text or a vector the nearest first, each with its score; items without a vector of that space come
  // last. Otherwise those that were written last come first.
  std::vector<Item> search(const ItemQuery& query);

  // In order.
  std::vector<Namespace> namespaces(const NamespaceQuery& query = {});

  // Removes items whose time is over, at most `limit`, and says how many; with PostgreSQL fewer if the answer to a first
  // try was lost. put() removes some by the way.
  std::int64_t sweep(int limit = 1000);

 private:
  std::vector<Item> newest(const ItemQuery& query, TimePoint now);
  std::vector<Item> filtered(const ItemQuery& query, TimePoint now);
  std::vector<Item> nearest(const ItemQuery& query, TimePoint now);
  void renew(std::vector<Item>& found, TimePoint now);

  Repository& repository_;
  const EmbeddingModel& model_;
  Clock clock_;
  const bool read_only_;
  const Redactor* redactor_;
};

}  // namespace actionhist
