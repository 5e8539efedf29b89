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

// Which slots a walk has seen: a bit each, so that they stay in the cache.
class Visited {
 public:
  // Each thread keeps one. None has been seen.
  static Visited& of_this_thread(std::size_t slots) {
    thread_local Visited visited;
    visited.start(slots);
    return visited;
  }

  bool first_time(std::uint32_t slot) {
    const bool first = mark(slot);
    if (first) marked_.push_back(slot);
    return first;
  }
  bool seen(std::uint32_t slot) const { return (words_[slot / 64] >> slot % 64 & 1) != 0; }

  // Moves those that are seen for the first time to the begin, and returns how many they are.
  std::size_t keep_new(std::span<std::uint32_t> slots) {
    std::size_t kept = 0;
    // Without a branch, which would be foretold wrongly as often as not.
    for (const std::uint32_t slot : slots) {
      slots[kept] = slot;
      kept += mark(slot);
    }
    marked_.insert(marked_.end(), slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(kept));
    return kept;
  }

 private:
  bool mark(std::uint32_t slot) {
    std::uint64_t& word = words_[slot / 64];
    const std::uint64_t before = word;
    word |= std::uint64_t{1} << slot % 64;
    return word != before;
  }
  void start(std::size_t slots) {
    for (const std::uint32_t slot : marked_) words_[slot / 64] = 0;
    marked_.clear();
    if (words_.size() * 64 < slots) words_.resize(slots / 64 + 1, 0);
  }

  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> marked_;
};

// The nearest few of what was offered, in order, and which of them were expanded.
class Pool {
 public:
  // REQUIRES: the width is at least 1.
  explicit Pool(std::size_t width) : distances_(width), slots_(width) {}

  float farthest() const {
    return size_ < distances_.size() ? std::numeric_limits<float>::infinity() : distances_.back();
  }
  void offer(const Neighbour& one) {
    if (!(one.distance < farthest())) return;
    const std::size_t kept = std::min(size_, distances_.size() - 1);
    // Pools are short: to count is quicker than to search, which branches.
    std::size_t at = 0;
    for (std::size_t i = 0; i < kept; ++i) at += distances_[i] <= one.distance;
    insert(distances_, at, kept, one.distance);
    insert(slots_, at, kept, one.slot);
    size_ = kept + 1;
    next_ = std::min(next_, at);
  }
  // The nearest slot that was not expanded yet; none when there is none.
  std::uint32_t next() {
    while (next_ < size_ && (slots_[next_] & expanded) != 0) ++next_;
    return next_ < size_ ? slots_[next_] : Graph::none;
  }
  // The same, and from now on it is.
  std::uint32_t expand() {
    const std::uint32_t slot = next();
    if (slot != Graph::none) slots_[next_] |= expanded;
    return slot;
  }
  std::vector<Neighbour> take() const {
    std::vector<Neighbour> out(size_);
    for (std::size_t i = 0; i < size_; ++i) out[i] = {distances_[i], slots_[i] & ~expanded};
    return out;
  }

 private:
  static constexpr std::uint32_t expanded = 0x8000'0000;  // a graph has fewer slots

  template <class T>
  static void insert(std::vector<T>& values, std::size_t at, std::size_t end, T value) {
    std::copy_backward(values.begin() + static_cast<std::ptrdiff_t>(at),
                       values.begin() + static_cast<std::ptrdiff_t>(end),
                       values.begin() + static_cast<std::ptrdiff_t>(end) + 1);
    values[at] = value;
  }

  std::size_t size_ = 0;
  std::size_t next_ = 0;  // all before it were expanded
  std::vector<float> distances_;
  std::vector<std::uint32_t> slots_;
};

// Compares what a walk comes upon with its query.
class Comparison {
 public:
  Comparison(const Vectors& vectors, const Vectors::Query& query)
      : vectors_(vectors), query_(query), gate_(vectors, query) {}

  // The slot belongs to the next batch; what is compared of it first is fetched.
  void add(std::uint32_t slot) {
    batch_.push_back(slot);
    fetch(batch_.size() - 1);
  }

  // The same for those of a list of neighbours that the walk sees for the first time.
  void add_new(std::span<const std::uint32_t> links, Visited& visited) {
    const std::size_t before = batch_.size();
    batch_.insert(batch_.end(), links.begin(), links.end());
    batch_.resize(before + visited.keep_new(std::span(batch_).subspan(before)));
    for (std::size_t i = before; i < batch_.size(); ++i) fetch(i);
  }

  std::size_t waiting() const { return batch_.size(); }

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

  void fetch(std::size_t place) {
    if (!gate_.open()) {
      vectors_.prefetch_signs(batch_[place]);
    } else if (place < fetched_ahead) {
      vectors_.prefetch(batch_[place]);
    }
  }

  const Vectors& vectors_;
  const Vectors::Query& query_;
  SignGate gate_;
  std::vector<std::uint32_t> batch_;
};

// Of the level above the lowest about the nearest `entries` slots by distance(slot); fetch(slot) asks for what it
// reads. REQUIRES: the graph is not empty.
template <class Fetch, class Distance>
std::vector<Neighbour> descended(const Graph& graph, std::size_t entries, const Fetch& fetch,
                                 const Distance& distance) {
  std::uint32_t nearest = graph.parts().entry;
  auto least = distance(nearest);
  for (std::uint32_t level = graph.parts().top_level; level > 1; --level) {
    for (std::uint32_t from = Graph::none; from != nearest;) {
      from = nearest;
      const auto links = graph.upper_neighbours(from, level);
      for (const std::uint32_t link : links) fetch(link);
      for (const std::uint32_t link : links) {
        const auto seen = distance(link);
        if (!(seen < least)) continue;
        least = seen;
        nearest = link;
      }
    }
  }
  Visited& visited = Visited::of_this_thread(graph.size());
  Pool pool(entries);
  visited.first_time(nearest);
  pool.offer({static_cast<float>(least), nearest});
  std::vector<std::uint32_t> links;
  for (std::uint32_t from = 0; (from = pool.expand()) != Graph::none;) {
    const auto all = graph.upper_neighbours(from, 1);
    links.assign(all.begin(), all.end());
    links.resize(visited.keep_new(links));
    for (const std::uint32_t link : links) fetch(link);
    for (const std::uint32_t link : links) pool.offer({static_cast<float>(distance(link)), link});
  }
  return pool.take();
}

// Where a walk begins: at several places, because from one alone it may never come to where the nearest are. By
// signs, if there are enough of them, because the places need only be near.
// REQUIRES: the graph is not empty. Forgets which slots this thread has visited.
inline std::vector<Neighbour> descend(const Graph& graph, const Vectors& vectors,
                                      const Vectors::Query& query) {
  // The more slots, the more corners to end in; among few a search is too short to pay for many.
  const std::size_t entries = std::clamp<std::size_t>(graph.size() / 65'536, 4, 16);
  if (!SignGate::serves(vectors)) {
    return descended(
        graph, entries, [&](std::uint32_t one) { vectors.prefetch(one); },
        [&](std::uint32_t one) { return vectors.coarse_distance(query, one); });
  }
  return descended(
      graph, entries, [&](std::uint32_t one) { vectors.prefetch_signs(one); },
      [&](std::uint32_t one) { return vectors.sign_distance(query, one); });
}

// The `width` nearest slots of all but `without`, which the walk passes over as if it were not there.
inline Walked walk(const Graph& graph, const Vectors& vectors, const Vectors::Query& query, std::size_t width,
                   std::uint32_t without = Graph::none) {
  Walked out;
  if (graph.size() == 0) return out;
  const std::vector<Neighbour> entries = descend(graph, vectors, query);
  Visited& visited = Visited::of_this_thread(graph.size());
  if (without != Graph::none) visited.first_time(without);
  Pool pool(width);
  Comparison comparison(vectors, query);
  const auto offer = [&](const Neighbour& seen) { pool.offer(seen); };
  for (const Neighbour& entry : entries) {
    if (visited.first_time(entry.slot)) comparison.add(entry.slot);
  }
  out.distances = comparison.measure(pool.farthest(), offer);
  for (std::uint32_t from = 0; (from = pool.expand()) != Graph::none;) {
    comparison.add_new(graph.neighbours(from), visited);
    graph.prefetch(pool.next());
    out.distances += comparison.measure(pool.farthest(), offer);
  }
  out.found = pool.take();
  return out;
}

// The `width` nearest slots that `allowed` lets through. One hop follows every link and only the result is
// filtered; two hops look through the neighbours that do not pass at those behind them, and follow only what
// passes (ACORN-1, Patel and others 2024). Ends once it has come upon more than `budget` slots. `without` as for
// walk().
template <class Allowed>
Walked filtered_walk(const Graph& graph, const Vectors& vectors, const Vectors::Query& query,
                     std::size_t width, const Allowed& allowed, bool two_hops, std::size_t budget,
                     std::uint32_t without = Graph::none) {
  Walked out;
  if (graph.size() == 0) return out;
  const std::vector<Neighbour> entries = descend(graph, vectors, query);
  Visited& visited = Visited::of_this_thread(graph.size());
  if (without != Graph::none) visited.first_time(without);
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
  std::vector<std::uint32_t> between;  // neighbours that do not pass
  // Half as many again as a slot has links lead on as well as all that lie behind them.
  const std::size_t enough = 3 * std::size_t{graph.parts().m};
  for (const Neighbour& entry : entries) look_at(entry.slot);
  out.distances =
      comparison.measure(found.farthest(), [&](const Neighbour& seen) { visit(seen, allowed(seen.slot)); });
  while (!open.empty() && open.front().distance <= found.farthest()) {
    const std::uint32_t from = open.front().slot;
    std::pop_heap(open.begin(), open.end(), Farther());
    open.pop_back();
    for (const std::uint32_t link : graph.neighbours(from)) {
      if (!two_hops || allowed(link)) {
        look_at(link);
        continue;
      }
      if (!visited.first_time(link)) continue;
      graph.prefetch(link);
      between.push_back(link);
    }
    for (const std::uint32_t link : between) {
      if (comparison.waiting() >= enough) break;
      for (const std::uint32_t behind : graph.neighbours(link)) {
        if (!visited.seen(behind) && allowed(behind)) look_at(behind);
      }
    }
    between.clear();
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
