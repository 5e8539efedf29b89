// Vectors whose products are cosines.
#pragma once

#include <cmath>
#include <span>

namespace actionhist {

// Scales a vector to length 1. False for one without a direction, which stays as it is.
inline bool normalize(std::span<float> vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * static_cast<double>(value);
  if (!(squares > 0) || !std::isfinite(squares)) return false;
  const double length = std::sqrt(squares);
  for (float& value : vector) value = static_cast<float>(value / length);
  return true;
}

}  // namespace actionhist
