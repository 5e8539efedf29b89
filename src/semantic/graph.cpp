#include "semantic/graph.hpp"

#include <algorithm>
#include <limits>
#include <queue>
#include <string>

#include <faiss/IndexHNSW.h>
#include <faiss/impl/DistanceComputer.h>
#include <faiss/impl/FaissException.h>
#include <omp.h>

#include <actionhist/error.hpp>

namespace actionhist {
namespace {

class Computer final : public faiss::DistanceComputer {
 public:
  explicit Computer(const Vectors& vectors) : vectors_(vectors) {}
  void set_query(const float* query) override { query_ = vectors_.encode(query); }
  float operator()(idx_t i) override { return vectors_.coarse_distance(query_, static_cast<std::size_t>(i)); }
  float symmetric_dis(idx_t i, idx_t j) override {
    return vectors_.coarse_distance(static_cast<std::size_t>(i), static_cast<std::size_t>(j));
  }

 private:
  const Vectors& vectors_;
  Vectors::Code query_;
};

// Lets FAISS read our vectors. It is told that smaller is nearer, which holds for all our distances.
class Storage final : public faiss::Index {
 public:
  explicit Storage(const Vectors& vectors)
      : faiss::Index(static_cast<idx_t>(vectors.dimension()), faiss::METRIC_L2), vectors_(vectors) {}
  void add(idx_t n, const float*) override { ntotal += n; }
  void reset() override { ntotal = 0; }
  void search(idx_t, const float*, idx_t, float*, idx_t*, const faiss::SearchParameters*) const override {
    throw Error(ErrorCode::internal, "graph: the storage is not searched");
  }
  faiss::DistanceComputer* get_distance_computer() const override { return new Computer(vectors_); }

 private:
  const Vectors& vectors_;
};

// A pool of OpenMP threads would outlive fork() only in the parent.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// Which slots a walk has seen. Each thread keeps one: clearing is counting up.
class Visited {
 public:
  void start(std::size_t size) {
    if (marks_.size() < size) marks_.resize(size, 0);
    if (++now_ == 0) {
      std::fill(marks_.begin(), marks_.end(), 0);
      now_ = 1;
    }
  }
  bool first_time(std::size_t slot) { return std::exchange(marks_[slot], now_) != now_; }

 private:
  std::vector<std::uint16_t> marks_;
  std::uint16_t now_ = 0;
};

struct Nearer {
  bool operator()(const Neighbour& a, const Neighbour& b) const { return a.distance < b.distance; }
};
struct Farther {
  bool operator()(const Neighbour& a, const Neighbour& b) const { return a.distance > b.distance; }
};

}  // namespace

struct Graph::State {
  State(const Vectors& vectors, int m) : storage(vectors), index(&storage, m) {}

  Storage storage;
  faiss::IndexHNSW index;
};

Graph::Graph(const Vectors& vectors, int m, int ef_construction)
    : vectors_(vectors), state_(std::make_unique<State>(vectors, m)) {
  state_->index.hnsw.efConstruction = ef_construction;
}

Graph::~Graph() = default;

std::size_t Graph::linked() const { return static_cast<std::size_t>(state_->index.ntotal); }

void Graph::link(std::size_t end) {
  const OneThread one_thread;
  try {
    for (std::size_t slot = linked(); slot < end; slot = linked()) {
      const std::size_t chunk_end = (slot / Vectors::chunk_slots + 1) * Vectors::chunk_slots;
      state_->index.add(static_cast<faiss::Index::idx_t>(std::min(end, chunk_end) - slot), vectors_.at(slot));
    }
  } catch (const faiss::FaissException& error) {
    throw Error(ErrorCode::internal, std::string("graph: ") + error.what());
  }
}

std::optional<std::vector<Neighbour>> Graph::search(const float* query, std::size_t width,
                                                    const Bitmap* allowed, std::size_t budget) const {
  const faiss::HNSW& hnsw = state_->index.hnsw;
  if (hnsw.entry_point < 0 || width == 0) return std::vector<Neighbour>();
  const Vectors::Code code = vectors_.encode(query);
  const auto neighbour = [&](std::int32_t slot) {
    return Neighbour{vectors_.coarse_distance(code, static_cast<std::size_t>(slot)),
                     static_cast<std::uint32_t>(slot)};
  };
  std::size_t begin = 0;
  std::size_t end = 0;
  Neighbour nearest = neighbour(hnsw.entry_point);
  for (int level = hnsw.max_level; level > 0; --level) {
    for (std::uint32_t from = nearest.slot;; from = nearest.slot) {
      hnsw.neighbor_range(from, level, &begin, &end);
      for (std::size_t i = begin; i < end && hnsw.neighbors[i] >= 0; ++i) {
        const Neighbour seen = neighbour(hnsw.neighbors[i]);
        if (seen.distance < nearest.distance) nearest = seen;
      }
      if (nearest.slot == from) break;
    }
  }

  thread_local Visited visited;
  visited.start(linked());
  std::priority_queue<Neighbour, std::vector<Neighbour>, Farther> open;
  std::priority_queue<Neighbour, std::vector<Neighbour>, Nearer> found;
  std::vector<std::int32_t> next;
  const std::size_t prefetched = std::min<std::size_t>(vectors_.dimension(), 1024);
  std::size_t distances = 0;
  float bound = std::numeric_limits<float>::infinity();  // the farthest of `found` once it is full
  const auto visit = [&](const Neighbour& seen) {
    if (seen.distance >= bound) return;
    open.push(seen);
    if (allowed != nullptr && !allowed->test(seen.slot)) return;
    found.push(seen);
    if (found.size() > width) found.pop();
    if (found.size() == width) bound = found.top().distance;
  };
  visited.first_time(nearest.slot);
  visit(nearest);
  while (!open.empty() && open.top().distance <= bound) {
    const std::uint32_t from = open.top().slot;
    open.pop();
    hnsw.neighbor_range(from, 0, &begin, &end);
    next.clear();
    for (std::size_t i = begin; i < end && hnsw.neighbors[i] >= 0; ++i) {
      const auto slot = static_cast<std::size_t>(hnsw.neighbors[i]);
      if (!visited.first_time(slot)) continue;
      // The walk waits for memory more than for arithmetic.
      for (std::size_t j = 0; j < prefetched; j += 64) __builtin_prefetch(vectors_.code_at(slot) + j);
      next.push_back(hnsw.neighbors[i]);
    }
    distances += next.size();
    if (distances > budget) return std::nullopt;
    for (const std::int32_t slot : next) visit(neighbour(slot));
  }
  std::vector<Neighbour> out;
  for (; !found.empty(); found.pop()) {
    const std::uint32_t slot = found.top().slot;
    out.push_back({vectors_.distance(query, vectors_.at(slot)), slot});
  }
  std::sort(out.begin(), out.end(), Nearer());
  return out;
}

std::size_t Graph::bytes() const {
  const faiss::HNSW& hnsw = state_->index.hnsw;
  return hnsw.neighbors.capacity() * sizeof(hnsw.neighbors[0]) +
         hnsw.offsets.capacity() * sizeof(std::size_t) + hnsw.levels.capacity() * sizeof(int);
}

}  // namespace actionhist
