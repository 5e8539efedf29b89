// The vectors of rows: which row has which, and the nearest of those that are allowed, by scanning them or
// by the graph. Rows of equal vectors share one slot: agents repeat themselves, and a graph in which a point
// has more copies than links falls apart. The slots up to linked() are in the graph, the few after them are
// scanned until a graph with them has been built. Const functions may run in many threads at once; changes
// exclude them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "semantic/bitmap.hpp"
#include "semantic/graph.hpp"
#include "semantic/planner.hpp"
#include "semantic/ranking.hpp"
#include "semantic/sealing.hpp"
#include "semantic/slot_table.hpp"
#include "semantic/vectors.hpp"
#include "semantic/walk.hpp"

namespace actionhist {

class VectorLeg {
 public:
  static constexpr std::uint32_t none = std::numeric_limits<std::uint32_t>::max();

  // The rows of a slot form a list.
  struct Row {
    std::uint32_t slot = none;
    std::uint32_t previous = none;
    std::uint32_t next = none;
  };

  // What a search asks for, and how it was answered.
  struct Request {
    const Bitmap* allowed = nullptr;  // all rows if null
    std::size_t matching = 0;         // rows in it that have a vector, about; never too few
    std::size_t count = 10;
    std::size_t width = 0;                                     // of a walk; 0: as calibrated
    std::function<bool(std::uint32_t, std::uint32_t)> before;  // the order of equal scores
  };
  struct Answer {
    std::vector<ScoredRow> rows;  // best first
    Route route = Route::nothing;
    std::string_view why;
    std::size_t width = 0;
    std::size_t distances = 0;  // of codes, signs or in full
  };

  explicit VectorLeg(const IndexOptions& options);

  // Throws Error: invalid_argument, naming `field`, for another dimension or a value that is not finite, or
  // whose square a float cannot hold.
  void check(std::span<const float> vector, std::string_view field) const;
  // Throws Error: invalid_argument, unless there is none, or one for each part, none negative and not all 0.
  void check_weights(std::span<const double> weights) const;

  // Brings a vector into the form that is stored: for cosine each of its parts of length 1.
  // REQUIRES: it passes check().
  std::vector<float> prepare(std::span<const float> vector) const;

  bool has(std::uint32_t row) const { return row < rows_.size() && rows_[row].slot != none; }
  // As far as it is kept. REQUIRES: has(row).
  std::vector<float> vector(std::uint32_t row) const;

  // Gives the row a prepared vector; one that it had goes. Nothing happens if it has this one.
  void set(std::uint32_t row, std::span<const float> prepared);
  void remove(std::uint32_t row);
  // The vector of `from` becomes that of `to`. REQUIRES: `to` has none.
  void move(std::uint32_t from, std::uint32_t to);

  // REQUIRES: has(row).
  double similarity(const Vectors::Query& query, std::uint32_t row) const {
    return vectors_.similarity(vectors_.distance(query, rows_[row].slot));
  }
  // What asks for the rows near to a prepared vector, whose parts count by weight: a part without a direction for
  // nothing. REQUIRES: the weights pass check_weights().
  Vectors::Query query(std::span<const float> prepared, std::span<const double> weights) const;
  // What asks for rows like this one. REQUIRES: has(row).
  Vectors::Query query_of(std::uint32_t row) const { return query(vector(row), {}); }
  // The cosine of each part of the row with that of a prepared vector; none where vectors have one part.
  // REQUIRES: has(row).
  std::vector<double> part_cosines(std::span<const float> prepared, std::uint32_t row) const;
  // At most `count` of the slots that rows have, evenly chosen.
  std::vector<std::uint32_t> sample(std::size_t count) const;

  // The rows nearest to the query; `count` of them, or all if fewer match.
  Answer nearest(const Vectors::Query& query, const Request& request) const;

  // Whether a graph should be built now with the slots that wait (`all`: however few they are), and from what.
  bool wants_sealing(bool all) const;
  std::optional<Sealing> wanted_sealing(bool all) const;
  void adopt(Sealing built);

  // The same rows under new numbers, `numbers[old]` or none.
  VectorLeg renumbered(std::span<const std::uint32_t> numbers, std::size_t rows) const;
  // The same rows in slots without dead ones between them, not linked yet; or after the slots of `base`, an
  // earlier result, with its graph.
  VectorLeg without_dead_slots(const VectorLeg* base) const;

  // As files keep it: the tables here, the full chunks and the graph by themselves. REQUIRES of read(): the leg
  // is empty. Throws Error: corrupt.
  void write(BinaryWriter& out) const;
  void read(BinaryReader& in, std::vector<std::shared_ptr<std::byte>> files,
            std::shared_ptr<const Graph> graph);
  const std::shared_ptr<const Graph>& graph() const { return graph_; }
  // Reads a full chunk from the file that holds the same.
  void replace_chunk(std::size_t number, std::shared_ptr<std::byte> same) {
    vectors_.replace(number, std::move(same));
  }

  Metric metric() const { return vectors_.metric(); }
  const Vectors& vectors() const { return vectors_; }
  std::size_t rows() const { return live_rows_; }
  std::size_t linked() const { return graph_ ? graph_->size() : 0; }
  std::size_t slots() const { return vectors_.size(); }
  std::size_t dead() const { return vectors_.size() - live_slots_; }  // slots that no row has any more
  const Calibration& calibration() const { return calibration_; }
  std::size_t bytes() const;

 private:
  // Passes the slots of which a row is allowed.
  struct Passing {
    const VectorLeg& leg;
    const Bitmap* allowed;
    bool operator()(std::uint32_t slot) const {
      std::uint32_t row = leg.first_rows_[slot];
      if (allowed == nullptr) return row != none;
      for (; row != none; row = leg.rows_[row].next) {
        if (allowed->test(row)) return true;
      }
      return false;
    }
  };

  std::uint32_t slot_for(std::span<const float> prepared);
  void attach(std::uint32_t row, std::uint32_t slot);
  Situation situation(const Vectors::Query& query, const Request& request) const;
  bool uneven(const Vectors::Query& query) const;
  bool follows(const Request& request, double share) const;
  std::vector<std::uint32_t> matching_slots(const Request& request, std::size_t begin) const;
  // The nearest of these slots, at least `count` of them if there are as many, in full precision.
  std::vector<Neighbour> scan(const Vectors::Query& query, std::span<const std::uint32_t> slots,
                              std::size_t count, Route route) const;
  // The distances in full of those that may be among the nearest `count`. `by_code` is nearest first.
  std::vector<Neighbour> measured(const Vectors::Query& query, std::span<const Neighbour> by_code,
                                  std::size_t count) const;
  bool enough(std::span<const Neighbour> near, const Request& request, std::size_t matching) const;
  std::vector<ScoredRow> rows_of(std::vector<Neighbour> near, const Request& request) const;

  IndexOptions options_;  // with one part where none is given
  Vectors vectors_;
  std::shared_ptr<const Graph> graph_;  // null while there is none
  Calibration calibration_;
  std::vector<Row> rows_;
  std::vector<std::uint32_t> first_rows_;  // by slot; none if it is dead
  SlotTable by_hash_;                      // slots, dead ones too, by hash of what is kept
  std::size_t live_rows_ = 0;
  std::size_t live_slots_ = 0;
};

}  // namespace actionhist
