// How alike vectors of a space are in general, so that "very much alike" can be said without knowing the model:
// the similarities of one lie in .7 to 1, those of another around 0. Plain values.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "semantic/vector_leg.hpp"

namespace actionhist {

class SimilarityScale {
 public:
  SimilarityScale() = default;

  // Of all pairs of some of these vectors, evenly chosen, whose parts count by weight.
  SimilarityScale(const VectorLeg& vectors, std::span<const double> weights);

  // False for other weights, and when there are an eighth more or fewer vectors than were measured.
  bool fits(const VectorLeg& vectors, std::span<const double> weights) const;

  // The similarity that so many percent of the pairs do not exceed, between two of them by interpolation; −∞
  // without pairs.
  double at(double percentile) const;

 private:
  std::size_t vectors_ = 0;
  std::vector<double> weights_;
  std::vector<float> similarities_;  // ascending
};

}  // namespace actionhist
