// The rows of an index by id, with what each leg and the filters hold of them. It has no lock: const
// functions may run in many threads at once, changes exclude them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "embedding/content_hash.hpp"
#include "semantic/bitmap.hpp"
#include "semantic/fields.hpp"
#include "semantic/lexical_leg.hpp"
#include "semantic/vector_leg.hpp"

namespace actionhist {

class RowTable {
 public:
  explicit RowTable(const IndexOptions& options) : options_(options), vectors_(options) {}

  // Throws Error: invalid_argument, naming the row. What passes can be put.
  void check(const IndexRow& row) const;

  // Adds the row or replaces the one of its id. What did not change stays where it is, so that a row whose
  // fields change is not tokenised and linked again. REQUIRES: it passes check().
  void put(const IndexRow& row);

  std::optional<std::uint32_t> find(std::string_view id) const;
  std::uint64_t version(std::uint32_t row) const { return rows_[row].version; }
  void set_fields(std::uint32_t row, const Json& fields) { fields_.set(row, fields); }
  void set_vector(std::uint32_t row, std::span<const float> vector);
  void remove(std::uint32_t row);

  // True when so many rows are tombstones that compacted() pays.
  bool wants_compaction() const;
  // The same rows in a table without tombstones; the slots of the vectors stay.
  std::unique_ptr<RowTable> compacted() const;
  // True when so many slots are dead that building the graph again without them pays.
  bool wants_new_slots() const;

  void adopt(Sealing built) { vectors_.adopt(std::move(built)); }
  void swap_vectors(VectorLeg& other) { std::swap(vectors_, other); }

  // As files keep it; the full chunks and the graph are files by themselves. REQUIRES of read(): the table is
  // empty. Throws Error: corrupt.
  void write(BinaryWriter& out) const;
  void read(BinaryReader& in, std::vector<std::shared_ptr<std::byte>> chunks,
            std::shared_ptr<const Graph> graph);
  void replace_chunk(std::size_t number, std::shared_ptr<std::byte> same) {
    vectors_.replace_chunk(number, std::move(same));
  }

  const std::string& id(std::uint32_t row) const { return rows_[row].id; }
  // The order of hits of equal score. Rows may repeat each other by thousands, so the first bytes of the ids
  // are kept where they are compared quickly.
  bool id_before(std::uint32_t a, std::uint32_t b) const {
    return id_starts_[a] != id_starts_[b] ? id_starts_[a] < id_starts_[b] : rows_[a].id < rows_[b].id;
  }
  const IndexOptions& options() const { return options_; }
  const Bitmap& alive() const { return alive_; }
  const LexicalLeg& lexical() const { return lexical_; }
  const VectorLeg& vectors() const { return vectors_; }

  // The rows alive that pass the filter.
  Bitmap select(const Filter& filter) const;

  IndexStats stats() const;

 private:
  struct Row {
    std::string id;
    ContentHash text;
    std::uint64_t version;
  };

  std::uint32_t append(std::string_view id, ContentHash text, std::uint64_t version);

  IndexOptions options_;
  std::deque<Row> rows_;  // a row never moves: by_id_ holds views of the ids
  std::unordered_map<std::string_view, std::uint32_t> by_id_;
  std::size_t id_bytes_ = 0;
  std::vector<std::uint64_t> id_starts_;  // by row; eight bytes, the first one highest
  Bitmap alive_;
  LexicalLeg lexical_;
  Fields fields_;
  VectorLeg vectors_;
};

}  // namespace actionhist
