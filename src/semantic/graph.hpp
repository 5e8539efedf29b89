// The HNSW graph (Malkov and Yashunin 2016) over vectors that lie elsewhere: FAISS builds it, we walk it,
// because the packaged walk ignores the width that a query asks for and opens an OpenMP region, which may
// hang after fork(). Both compare the short codes of the vectors, and the walk measures in full what it has
// found. Searches may run in many threads at once; link() excludes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "semantic/bitmap.hpp"
#include "semantic/vectors.hpp"

namespace actionhist {

struct Neighbour {
  float distance;
  std::uint32_t slot;
};

class Graph {
 public:
  // REQUIRES: `vectors` outlives the graph.
  Graph(const Vectors& vectors, int m, int ef_construction);
  ~Graph();

  // Links the slots from linked() up to `end`, one thread. Throws Error: internal.
  void link(std::size_t end);

  std::size_t linked() const;

  // The nearest `width` slots among `allowed` (all linked ones if null) that the walk finds, nearest first.
  // Nothing if more than `budget` distances would be needed: then scanning is cheaper.
  std::optional<std::vector<Neighbour>> search(const float* query, std::size_t width, const Bitmap* allowed,
                                               std::size_t budget) const;

  std::size_t bytes() const;

 private:
  struct State;
  const Vectors& vectors_;
  std::unique_ptr<State> state_;
};

}  // namespace actionhist
