// The first principal components of vectors, by FAISS. May be called from any thread; the same input gives the same
// output.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace actionhist {

struct Components {
  std::vector<double> places;     // row by row, `dimensions` numbers each
  std::vector<double> explained;  // the share of all variance, one a dimension
};

// What does not vary is 0 in all places. REQUIRES: `rows` are vectors of `dimension` floats; dimensions <= dimension.
Components principal_components(std::span<const float> rows, std::size_t dimension, std::size_t dimensions);

}  // namespace actionhist
