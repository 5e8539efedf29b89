// Walks a graph towards a query, comparing codes and fetching ahead: a walk waits for memory more than for
// arithmetic. May run in many threads at once.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "semantic/graph.hpp"
#include "semantic/sign_gate.hpp"
#include "semantic/vectors.hpp"

namespace actionhist {

struct Neighbour {
  float distance;
  std::uint32_t slot;
};

struct Nearer {
  bool operator()(const Neighbour& a, const Neighbour& b) const { return a.distance < b.distance; }
};
struct Farther {
  bool operator()(const Neighbour& a, const Neighbour& b) const { return a.distance > b.distance; }
};

struct Walked {
  std::vector<Neighbour> found;  // by code, nearest first
  std::size_t distances = 0;     // of slots that it came upon, by signs or by codes
  bool complete = true;          // false: the budget ended it
};

// Which slots a walk has seen. Each thread keeps one: clearing is counting up.
class Visited {
 public:
  static Visited& of_this_thread(std::size_t slots) {
    thread_local Visited visited;
    visited.start(slots);
    return visited;
  }
  bool first_time(std::size_t slot) { return std::exchange(marks_[slot], now_) != now_; }
  bool seen(std::size_t slot) const { return marks_[slot] == now_; }

 private:
  void start(std::size_t slots) {
    if (marks_.size() < slots) marks_.resize(slots, 0);
    if (++now_ == 0) {
      std::fill(marks_.begin(), marks_.end(), 0);
      now_ = 1;
    }
  }

  std::vector<std::uint16_t> marks_;
  std::uint16_t now_ = 0;
};

// The nearest few of what was offered, in order, and which of them were expanded.
class Pool {
 public:
  explicit Pool(std::size_t width) : width_(width) { items_.reserve(width + 1); }

  float farthest() const {
    return items_.size() < width_ ? std::numeric_limits<float>::infinity() : items_.back().distance;
  }
  void offer(const Neighbour& one) {
    if (!(one.distance < farthest())) return;
    if (items_.size() == width_) items_.pop_back();
    const auto at = std::upper_bound(items_.begin(), items_.end(), one, Nearer());
    next_ = std::min(next_, static_cast<std::size_t>(at - items_.begin()));
    items_.insert(at, one);
  }
  // The nearest slot that was not expanded yet, which from now on it is; none when there is none.
  std::uint32_t expand() {
    while (next_ < items_.size() && (items_[next_].slot & expanded) != 0) ++next_;
    if (next_ == items_.size()) return Graph::none;
    const std::uint32_t slot = items_[next_].slot;
    items_[next_].slot |= expanded;
    return slot;
  }
  std::vector<Neighbour> take() {
    for (Neighbour& one : items_) one.slot &= ~expanded;
    return std::move(items_);
  }

 private:
  static constexpr std::uint32_t expanded = 0x8000'0000;  // a graph has fewer slots

  std::size_t width_;
  std::size_t next_ = 0;
  std::vector<Neighbour> items_;
};

// Compares what a walk comes upon with its query.
class Comparison {
 public:
  Comparison(const Vectors& vectors, const Vectors::Query& query)
      : vectors_(vectors), query_(query), gate_(vectors, query) {}

  // The slot belongs to the next batch; what is compared of it first is fetched.
  void add(std::uint32_t slot) {
    if (!gate_.open()) {
      vectors_.prefetch_signs(slot);
    } else if (batch_.size() < fetched_ahead) {
      vectors_.prefetch(slot);
    }
    batch_.push_back(slot);
  }

  // Calls use(neighbour) for each slot of the batch that may be nearer than `farthest`, and begins a new one.
  // Returns how many were in the batch.
  template <class Use>
  std::size_t measure(float farthest, Use&& use) {
    const std::size_t all = batch_.size();
    if (!gate_.open()) {
      gate_.sift(batch_, farthest, [&](std::size_t place, std::uint32_t slot) {
        if (place < fetched_ahead) vectors_.prefetch(slot);
      });
    }
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      if (i + fetched_ahead < batch_.size()) vectors_.prefetch(batch_[i + fetched_ahead]);
      const float distance = vectors_.coarse_distance(query_, batch_[i]);
      if (!gate_.open()) gate_.learn(i, distance);
      use(Neighbour{distance, batch_[i]});
    }
    batch_.clear();
    return all;
  }

 private:
  // A core can wait for so many codes at once; what is asked for beyond is asked for in vain.
  static constexpr std::size_t fetched_ahead = 4;

  const Vectors& vectors_;
  const Vectors::Query& query_;
  SignGate gate_;
  std::vector<std::uint32_t> batch_;
};

// The slot that lies nearest on the levels above the lowest. REQUIRES: the graph is not empty.
inline Neighbour descend(const Graph& graph, const Vectors& vectors, const Vectors::Query& query) {
  const auto measured = [&](std::uint32_t slot) {
    return Neighbour{vectors.coarse_distance(query, slot), slot};
  };
  Neighbour nearest = measured(graph.parts().entry);
  for (std::uint32_t level = graph.parts().top_level; level > 0; --level) {
    for (std::uint32_t from = Graph::none; from != nearest.slot;) {
      from = nearest.slot;
      const auto links = graph.upper_neighbours(from, level);
      for (const std::uint32_t link : links) {
        if (link == Graph::none) break;
        vectors.prefetch(link);
      }
      for (const std::uint32_t link : links) {
        if (link == Graph::none) break;
        const Neighbour seen = measured(link);
        if (seen.distance < nearest.distance) nearest = seen;
      }
    }
  }
  return nearest;
}

// The `width` nearest slots of all.
inline Walked walk(const Graph& graph, const Vectors& vectors, const Vectors::Query& query,
                   std::size_t width) {
  Walked out;
  if (graph.size() == 0) return out;
  Visited& visited = Visited::of_this_thread(graph.size());
  Pool pool(width);
  Comparison comparison(vectors, query);
  const Neighbour entry = descend(graph, vectors, query);
  visited.first_time(entry.slot);
  pool.offer(entry);
  for (std::uint32_t from = 0; (from = pool.expand()) != Graph::none;) {
    for (const std::uint32_t link : graph.neighbours(from)) {
      if (link == Graph::none) break;
      if (visited.first_time(link)) comparison.add(link);
    }
    out.distances += comparison.measure(pool.farthest(), [&](const Neighbour& seen) { pool.offer(seen); });
  }
  out.found = pool.take();
  return out;
}

// The `width` nearest slots that `allowed` lets through. One hop follows every link and only the result is
// filtered; two hops look through the neighbours that do not pass at those behind them, and follow only what
// passes (ACORN-1, Patel and others 2024). Ends once it has come upon more than `budget` slots.
template <class Allowed>
Walked filtered_walk(const Graph& graph, const Vectors& vectors, const Vectors::Query& query,
                     std::size_t width, const Allowed& allowed, bool two_hops, std::size_t budget) {
  Walked out;
  if (graph.size() == 0) return out;
  Visited& visited = Visited::of_this_thread(graph.size());
  Pool found(width);
  std::vector<Neighbour> open;  // a heap, the nearest first
  Comparison comparison(vectors, query);
  const auto visit = [&](const Neighbour& seen, bool passes) {
    if (seen.distance >= found.farthest()) return;
    open.push_back(seen);
    std::push_heap(open.begin(), open.end(), Farther());
    if (passes) found.offer(seen);
  };
  const auto look_at = [&](std::uint32_t slot) {
    if (visited.first_time(slot)) comparison.add(slot);
  };
  const Neighbour entry = descend(graph, vectors, query);
  visited.first_time(entry.slot);
  visit(entry, allowed(entry.slot));
  while (!open.empty() && open.front().distance <= found.farthest()) {
    const std::uint32_t from = open.front().slot;
    std::pop_heap(open.begin(), open.end(), Farther());
    open.pop_back();
    for (const std::uint32_t link : graph.neighbours(from)) {
      if (link == Graph::none) break;
      if (!two_hops || allowed(link)) {
        look_at(link);
        continue;
      }
      if (!visited.first_time(link)) continue;
      for (const std::uint32_t behind : graph.neighbours(link)) {
        if (behind == Graph::none) break;
        if (!visited.seen(behind) && allowed(behind)) look_at(behind);
      }
    }
    out.distances += comparison.measure(
        found.farthest(), [&](const Neighbour& seen) { visit(seen, two_hops || allowed(seen.slot)); });
    if (out.distances > budget) {
      out.complete = false;
      break;
    }
  }
  out.found = found.take();
  return out;
}

}  // namespace actionhist
