// Vectors whose products are cosines.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>

namespace actionhist {

// In several sums that do not wait for each other.
inline double sum_of_squares(std::span<const float> vector) {
  std::array<double, 8> sums{};
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const auto x = static_cast<double>(vector[i]);
    sums[i % sums.size()] += x * x;
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// Scales a vector to length 1. False for one without a direction, which stays as it is.
inline bool normalize(std::span<float> vector) {
  const double squares = sum_of_squares(vector);
  if (!(squares > 0) || !std::isfinite(squares)) return false;
  const double scale = 1 / std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(value * scale);
  return true;
}

}  // namespace actionhist
