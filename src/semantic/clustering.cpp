#include "semantic/clustering.hpp"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <random>

#include <faiss/Clustering.h>
#include <faiss/IndexFlat.h>

#include "semantic/faiss_errors.hpp"
#include "semantic/one_thread.hpp"

namespace actionhist {
namespace {

using idx_t = faiss::Index::idx_t;

constexpr int iterations = 20;
constexpr int draws = 5;

// Cosine becomes a distance between 0 and 2.
double distance(float cosine) { return 1. - static_cast<double>(cosine); }

}  // namespace

Clustering cluster(std::span<const float> rows, std::size_t dimension, int clusters, int seed) {
  const std::size_t count = rows.size() / dimension;
  assert(clusters >= 2 && count >= static_cast<std::size_t>(clusters));
  const OneThread one_thread;
  faiss::ClusteringParameters parameters;
  parameters.niter = iterations;
  parameters.seed = seed;
  parameters.spherical = true;
  parameters.min_points_per_centroid = 1;  // FAISS would warn on stderr
  parameters.max_points_per_centroid = static_cast<int>(count);
  std::vector<float> cosines(2 * count);
  std::vector<idx_t> nearest(2 * count);
  with_faiss("clusters", [&] {
    faiss::Clustering means(static_cast<int>(dimension), clusters, parameters);
    faiss::IndexFlatIP centres(static_cast<idx_t>(dimension));
    means.train(static_cast<idx_t>(count), rows.data(), centres);
    centres.search(static_cast<idx_t>(count), rows.data(), 2, cosines.data(), nearest.data());
  });
  Clustering found;
  found.clusters = clusters;
  for (std::size_t i = 0; i < count; ++i) {
    found.cluster_of.push_back(static_cast<int>(nearest[2 * i]));
    found.cosines.push_back(cosines[2 * i]);
    const double own = distance(cosines[2 * i]);
    const double next = distance(cosines[2 * i + 1]);
    const double larger = std::max(own, next);
    if (larger > 0) found.silhouette += (next - own) / larger / static_cast<double>(count);
  }
  return found;
}

std::vector<double> stability(std::span<const float> rows, std::size_t dimension, const Clustering& found,
                              int seed) {
  const std::size_t count = found.cluster_of.size();
  const auto size = static_cast<std::size_t>(found.clusters);
  std::vector<double> stable(size, 0.);
  const std::size_t kept = count - count / 5;
  if (kept < size) return stable;
  std::mt19937 random(static_cast<std::uint32_t>(seed));
  std::vector<std::size_t> order(count);
  for (int draw = 0; draw < draws; ++draw) {
    std::iota(order.begin(), order.end(), std::size_t{0});
    // std::shuffle may differ from one standard library to the next.
    for (std::size_t i = count - 1; i > 0; --i) std::swap(order[i], order[random() % (i + 1)]);
    std::vector<float> sample;
    for (std::size_t i = 0; i < kept; ++i) {
      const auto row = rows.subspan(order[i] * dimension, dimension);
      sample.insert(sample.end(), row.begin(), row.end());
    }
    const Clustering again = cluster(sample, dimension, found.clusters, seed + 1 + draw);
    std::vector<double> shared(size * size, 0.);
    std::vector<double> ours(size, 0.);
    std::vector<double> theirs(size, 0.);
    for (std::size_t i = 0; i < kept; ++i) {
      const auto a = static_cast<std::size_t>(found.cluster_of[order[i]]);
      const auto b = static_cast<std::size_t>(again.cluster_of[i]);
      ++shared[a * size + b];
      ++ours[a];
      ++theirs[b];
    }
    for (std::size_t a = 0; a < size; ++a) {
      double best = 0;
      for (std::size_t b = 0; b < size; ++b) {
        const double both = shared[a * size + b];
        if (both > 0) best = std::max(best, both / (ours[a] + theirs[b] - both));
      }
      stable[a] += best / draws;
    }
  }
  return stable;
}

}  // namespace actionhist
