#include "semantic/vector_leg.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "embedding/content_hash.hpp"

namespace actionhist {
namespace {

// The walk for w of N slots costs about as much as a scan of 8 w slots, and N / m times that if only m of
// them match. Measured with w = 200: at 1024 dimensions and 20,000 slots both cost the same at m = 4,500, at
// 384 dimensions and 100,000 slots at m = 12,500. Near that point we scan, which misses nothing.
constexpr double walk_cost = 8;

// Distances of vectors below this length are far from the largest float.
constexpr double max_squares = 1e30;

double squares(std::span<const float> vector) {
  double sum = 0;
  for (const float x : vector) sum += static_cast<double>(x) * x;
  return sum;
}

}  // namespace

VectorLeg::VectorLeg(const IndexOptions& options)
    : metric_(options.metric),
      ef_search_(static_cast<std::size_t>(options.ef_search)),
      sealed_rows_(options.sealed_rows),
      vectors_(std::make_unique<Vectors>(options.dimension, options.metric)),
      graph_(std::make_unique<Graph>(*vectors_, options.m, options.ef_construction)) {}

void VectorLeg::check(std::span<const float> vector, std::string_view field) const {
  if (vector.size() != vectors_->dimension()) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{}: has {} dimensions, the index has {}", field,
                                                         vector.size(), vectors_->dimension()));
  }
  const double sum = squares(vector);
  if (!std::isfinite(sum)) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{}: holds a value that is not finite", field));
  }
  if (metric_ != Metric::cosine && sum > max_squares) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{}: is longer than 1e15", field));
  }
}

std::vector<float> VectorLeg::prepare(std::span<const float> vector) const {
  std::vector<float> out(vector.begin(), vector.end());
  const double sum = metric_ == Metric::cosine ? squares(vector) : 0;
  if (sum == 0) return out;
  const double scale = 1 / std::sqrt(sum);
  for (float& x : out) x = static_cast<float>(x * scale);
  return out;
}

std::span<const float> VectorLeg::vector(std::uint32_t row) const {
  return {vectors_->at(rows_[row].slot), vectors_->dimension()};
}

std::uint32_t VectorLeg::slot_for(std::span<const float> prepared) {
  const std::uint64_t hash = content_hash(prepared.data(), prepared.size_bytes()).low;
  const auto found = by_hash_.find(hash);
  if (found != by_hash_.end()) {
    const float* kept = vectors_->at(found->second);
    if (std::equal(prepared.begin(), prepared.end(), kept)) return found->second;
  }
  const auto slot = static_cast<std::uint32_t>(vectors_->append(prepared));
  first_rows_.push_back(none);
  by_hash_.insert_or_assign(hash, slot);
  return slot;
}

void VectorLeg::attach(std::uint32_t row, std::uint32_t slot) {
  if (rows_.size() <= row) rows_.resize(row + std::size_t{1});
  std::uint32_t& first = first_rows_[slot];
  if (first == none) {
    ++live_slots_;
    if (slot < linked()) --dead_linked_;
  } else {
    rows_[first].previous = row;
  }
  rows_[row] = {slot, none, first};
  first = row;
  ++live_rows_;
}

void VectorLeg::set(std::uint32_t row, std::span<const float> prepared) {
  remove(row);
  // A slot is born dead: attach() counts it as alive, as it does one that comes back.
  const std::uint32_t slot = slot_for(prepared);
  attach(row, slot);
}

void VectorLeg::remove(std::uint32_t row) {
  if (!has(row)) return;
  const Row gone = std::exchange(rows_[row], {});
  if (gone.next != none) rows_[gone.next].previous = gone.previous;
  if (gone.previous != none) {
    rows_[gone.previous].next = gone.next;
  } else {
    first_rows_[gone.slot] = gone.next;
  }
  --live_rows_;
  if (first_rows_[gone.slot] != none) return;
  --live_slots_;
  if (gone.slot < linked()) ++dead_linked_;
}

void VectorLeg::move(std::uint32_t from, std::uint32_t to) {
  if (!has(from)) return;
  const std::uint32_t slot = rows_[from].slot;
  remove(from);
  attach(to, slot);
}

double VectorLeg::similarity(std::span<const float> query, std::uint32_t row) const {
  return vectors_->similarity(vectors_->distance(query.data(), vectors_->at(rows_[row].slot)));
}

std::vector<ScoredRow> VectorLeg::nearest(
    std::span<const float> query, const Bitmap& allowed, std::size_t count,
    const std::function<bool(std::uint32_t, std::uint32_t)>& before) const {
  Bitmap slots(vectors_->size());
  allowed.for_each([&](std::size_t row) {
    if (row < rows_.size() && rows_[row].slot != none) slots.set(rows_[row].slot);
  });
  std::size_t matching = 0;  // of the linked slots
  slots.for_each([&](std::size_t slot) { matching += slot < linked(); });

  // The fewer slots match, the more of the others the walk has to pass.
  const std::size_t width = std::max(count, ef_search_);
  const auto m = static_cast<double>(matching);
  std::vector<Neighbour> near;
  if (m * m > walk_cost * static_cast<double>(width) * static_cast<double>(linked())) {
    auto found = graph_->search(query.data(), width, &slots, matching);
    // A walk may end in a corner of the graph that holds too few of the slots that match.
    if (found && found->size() >= std::min(count, matching)) near = std::move(*found);
  }
  const std::size_t scanned = near.empty() ? 0 : linked();
  slots.for_each([&](std::size_t slot) {
    if (slot < scanned) return;
    near.push_back({vectors_->distance(query.data(), vectors_->at(slot)), static_cast<std::uint32_t>(slot)});
  });

  // Of slots behind the first `count` no row is wanted, unless they tie.
  if (near.size() > count) {
    const auto last = near.begin() + static_cast<std::ptrdiff_t>(count) - 1;
    const auto nearer = [](const Neighbour& a, const Neighbour& b) { return a.distance < b.distance; };
    std::nth_element(near.begin(), last, near.end(), nearer);
    const float bound = last->distance;
    std::erase_if(near, [bound](const Neighbour& one) { return one.distance > bound; });
  }
  std::vector<ScoredRow> out;
  for (const Neighbour& one : near) {
    const double similarity = vectors_->similarity(one.distance);
    for (std::uint32_t row = first_rows_[one.slot]; row != none; row = rows_[row].next) {
      if (allowed.test(row)) out.push_back({row, similarity});
    }
  }
  keep_best(out, count, before);
  return out;
}

std::size_t VectorLeg::unlinked() const {
  return vectors_->size() > sealed_rows_ ? vectors_->size() - linked() : 0;
}

void VectorLeg::link(std::size_t count) {
  const std::size_t first = linked();
  graph_->link(std::min(vectors_->size(), first + count));
  for (std::size_t slot = first; slot < linked(); ++slot) dead_linked_ += first_rows_[slot] == none;
}

std::size_t VectorLeg::bytes() const {
  return vectors_->bytes() + graph_->bytes() + rows_.capacity() * sizeof(Row) +
         first_rows_.capacity() * sizeof(std::uint32_t) + by_hash_.size() * 32;
}

}  // namespace actionhist
