// Clustered unit vectors, as embeddings of real texts lie, and the exact answers among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace actionhist::benchmark {

struct VectorSet {
  std::size_t dimension = 0;
  std::vector<float> values;          // one after another
  std::vector<std::uint32_t> centre;  // of each, the cluster it lies in

  std::size_t size() const { return centre.size(); }
  const float* at(std::size_t i) const { return values.data() + i * dimension; }
};

struct VectorSets {
  VectorSet rows;
  VectorSet queries;
};

// A thousand clusters of long-tailed sizes in 32 hidden dimensions, mapped to `dimension` with some noise: like
// embeddings of texts they fill far fewer dimensions than they have, and there is always a next nearest. The
// same seed gives the same vectors everywhere.
VectorSets clustered_vectors(std::size_t rows, std::size_t queries, std::size_t dimension, unsigned seed = 1);

// Of each query the numbers of its nearest rows among those that pass, nearest first.
std::vector<std::vector<std::uint32_t>> exact_neighbours(const VectorSets& sets, std::size_t count,
                                                         const std::function<bool(std::uint32_t)>& passes);

}  // namespace actionhist::benchmark
