#include "vector_sets.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

#include "semantic/kernels.hpp"

namespace actionhist::benchmark {
namespace {

void normalise(float* vector, std::size_t dimension) {
  double squares = 0;
  for (std::size_t i = 0; i < dimension; ++i) squares += static_cast<double>(vector[i]) * vector[i];
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  for (std::size_t i = 0; i < dimension; ++i) vector[i] *= scale;
}

}  // namespace

VectorSets clustered_vectors(std::size_t rows, std::size_t queries, std::size_t dimension, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const std::size_t clusters = 1000;
  const std::size_t latent = 32;
  std::vector<float> map(latent * dimension);
  for (float& x : map) x = normal(random) / std::sqrt(static_cast<float>(dimension));
  std::vector<float> centres(clusters * latent);
  for (float& x : centres) x = normal(random);
  std::vector<double> weights;
  for (std::size_t c = 0; c < clusters; ++c) weights.push_back(1 / std::sqrt(static_cast<double>(c + 1)));
  std::discrete_distribution<std::size_t> cluster(weights.begin(), weights.end());
  const float noise = 0.6F / std::sqrt(static_cast<float>(dimension));
  const auto fill = [&](VectorSet& set, std::size_t count) {
    set.dimension = dimension;
    set.values.resize(count * dimension);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t c = cluster(random);
      float* vector = set.values.data() + i * dimension;
      for (std::size_t k = 0; k < dimension; ++k) vector[k] = normal(random) * noise;
      for (std::size_t a = 0; a < latent; ++a) {
        const float along = centres[c * latent + a] + normal(random) * 0.5F;
        for (std::size_t k = 0; k < dimension; ++k) vector[k] += along * map[a * dimension + k];
      }
      normalise(vector, dimension);
      set.centre.push_back(static_cast<std::uint32_t>(c));
    }
  };
  VectorSets sets;
  fill(sets.rows, rows);
  fill(sets.queries, queries);
  return sets;
}

std::vector<std::vector<std::uint32_t>> exact_neighbours(const VectorSets& sets, std::size_t count,
                                                         const std::function<bool(std::uint32_t)>& passes) {
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < sets.rows.size(); ++i) {
    if (passes(i)) rows.push_back(i);
  }
  std::vector<std::vector<std::uint32_t>> out(sets.queries.size());
  const auto answer = [&](std::size_t first, std::size_t step) {
    std::vector<std::pair<float, std::uint32_t>> all(rows.size());
    for (std::size_t q = first; q < out.size(); q += step) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        all[i] = {-kernels().dot(sets.queries.at(q), sets.rows.at(rows[i]), sets.rows.dimension), rows[i]};
      const std::size_t kept = std::min(count, all.size());
      std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end());
      for (std::size_t i = 0; i < kept; ++i) out[q].push_back(all[i].second);
    }
  };
  std::thread other(answer, 1, 2);
  answer(0, 2);
  other.join();
  return out;
}

}  // namespace actionhist::benchmark
