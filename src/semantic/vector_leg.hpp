// The vectors of rows: which row has which, and the nearest of those that are allowed, by scanning them or
// by the graph. Rows of equal vectors share one slot: agents repeat themselves, and a graph in which a point
// has more copies than links falls apart. Const functions may run in many threads at once; changes exclude
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "semantic/bitmap.hpp"
#include "semantic/graph.hpp"
#include "semantic/ranking.hpp"
#include "semantic/vectors.hpp"

namespace actionhist {

class VectorLeg {
 public:
  explicit VectorLeg(const IndexOptions& options);

  // Throws Error: invalid_argument, naming `field`, for another dimension or a value that is not finite, or
  // whose square a float cannot hold.
  void check(std::span<const float> vector, std::string_view field) const;

  // Brings a vector into the form that is stored: for cosine of length 1. REQUIRES: it passes check().
  std::vector<float> prepare(std::span<const float> vector) const;

  bool has(std::uint32_t row) const { return row < rows_.size() && rows_[row].slot != none; }

  // REQUIRES: has(row). Valid until the row changes.
  std::span<const float> vector(std::uint32_t row) const;

  // Gives the row a prepared vector; one that it had goes.
  void set(std::uint32_t row, std::span<const float> prepared);
  void remove(std::uint32_t row);
  // The vector of `from` becomes that of `to`. REQUIRES: `to` has none.
  void move(std::uint32_t from, std::uint32_t to);

  // REQUIRES: has(row); `query` is prepared.
  double similarity(std::span<const float> query, std::uint32_t row) const;

  // The `count` rows nearest to a prepared query among those in `allowed`, best first; all of them if there
  // are fewer. Equal scores are ordered by `before`.
  std::vector<ScoredRow> nearest(std::span<const float> query, const Bitmap& allowed, std::size_t count,
                                 const std::function<bool(std::uint32_t, std::uint32_t)>& before) const;

  // How many slots wait to be linked into the graph; 0 while there are so few that scanning is best.
  std::size_t unlinked() const;
  void link(std::size_t count);

  Metric metric() const { return metric_; }
  std::size_t rows() const { return live_rows_; }
  std::size_t linked() const { return graph_->linked(); }  // slots in the graph
  std::size_t slots() const { return vectors_->size(); }
  // Slots that no row has any more, all and in the graph.
  std::size_t dead() const { return vectors_->size() - live_slots_; }
  std::size_t dead_linked() const { return dead_linked_; }
  std::size_t bytes() const;

 private:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // The rows of a slot form a list.
  struct Row {
    std::uint32_t slot = none;
    std::uint32_t previous = none;
    std::uint32_t next = none;
  };

  std::uint32_t slot_for(std::span<const float> prepared);
  void attach(std::uint32_t row, std::uint32_t slot);

  Metric metric_;
  std::size_t ef_search_;
  std::size_t sealed_rows_;
  std::unique_ptr<Vectors> vectors_;
  std::unique_ptr<Graph> graph_;
  std::vector<Row> rows_;
  std::vector<std::uint32_t> first_rows_;                     // by slot; none if it is dead
  std::unordered_map<std::uint64_t, std::uint32_t> by_hash_;  // slots, dead ones too, by hash of their vector
  std::size_t live_rows_ = 0;
  std::size_t live_slots_ = 0;
  std::size_t dead_linked_ = 0;
};

}  // namespace actionhist
