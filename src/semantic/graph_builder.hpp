// Builds graphs, by FAISS, comparing the short codes of the vectors.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "semantic/graph.hpp"
#include "semantic/vectors.hpp"

namespace actionhist {

struct GraphOptions {
  int m = 16;
  int ef_construction = 64;
};

// A graph over the first `end` slots: `before`, which has fewer or is null, and the slots after it. One thread,
// for as long as it takes; `before` stays as it is. Null when `cancelled` said so between two batches.
// Throws Error: internal.
std::shared_ptr<const Graph> extended(const Graph* before, const Vectors& vectors, std::size_t end,
                                      const GraphOptions& options, const std::function<bool()>& cancelled);

}  // namespace actionhist
