#include "semantic/projection.hpp"

#include <algorithm>
#include <cmath>

#include <faiss/VectorTransform.h>

#include "semantic/faiss_errors.hpp"
#include "semantic/one_thread.hpp"

namespace actionhist {

Components principal_components(std::span<const float> rows, std::size_t dimension, std::size_t dimensions) {
  const std::size_t count = rows.size() / dimension;
  Components found;
  found.places.assign(count * dimensions, 0.);
  found.explained.assign(dimensions, 0.);
  if (count == 0) return found;
  // All variance, to know the share of each component.
  std::vector<double> means(dimension, 0.);
  for (std::size_t i = 0; i < rows.size(); ++i) means[i % dimension] += rows[i] / static_cast<double>(count);
  double variance = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) variance += std::pow(rows[i] - means[i % dimension], 2);
  // Fewer rows span fewer dimensions; the others stay 0, and so do all of rows that are the same.
  const std::size_t known = std::min(dimensions, count - 1);
  constexpr double nothing = 1e-9;
  if (variance < nothing) return found;
  const OneThread one_thread;
  std::vector<float> places(count * known);
  with_faiss("projection", [&] {
    faiss::PCAMatrix matrix(static_cast<int>(dimension), static_cast<int>(known));
    matrix.train(static_cast<faiss::Index::idx_t>(count), rows.data());
    matrix.apply_noalloc(static_cast<faiss::Index::idx_t>(count), rows.data(), places.data());
  });
  for (std::size_t j = 0; j < known; ++j) {
    // A component's direction is arbitrary: the place farthest from the middle is made positive.
    float farthest = 0;
    double sum = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const float place = places[i * known + j];
      if (std::abs(place) > std::abs(farthest)) farthest = place;
      sum += static_cast<double>(place) * static_cast<double>(place);
    }
    for (std::size_t i = 0; i < count; ++i) {
      const double place = places[i * known + j];
      found.places[i * dimensions + j] = farthest < 0 ? -place : place;
    }
    found.explained[j] = sum / variance;
  }
  return found;
}

}  // namespace actionhist
