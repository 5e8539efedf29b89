// Groups of vectors, by FAISS's k-means with cosine. Functions may be called from any thread; the same input and
// seed give the same output.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace actionhist {

struct Clustering {
  int clusters = 0;
  std::vector<int> cluster_of;  // by row
  std::vector<float> cosines;   // of each row with its centre
  double silhouette = 0;        // mean of (a − b) / max, with the distances to the centres next and nearest
};

// REQUIRES: `rows` are unit vectors of `dimension` floats, at least `clusters` of them; clusters >= 2.
Clustering cluster(std::span<const float> rows, std::size_t dimension, int clusters, int seed);

// For each cluster, how much of it is found again when a fifth of the rows is left out: the mean over five draws of
// the best Jaccard index with a cluster of the rest (Hennig 2007).
std::vector<double> stability(std::span<const float> rows, std::size_t dimension, const Clustering& found,
                              int seed);

}  // namespace actionhist
