// Vectors to put into an index, and what it finds.
#pragma once

#include <random>
#include <string>
#include <vector>

#include <actionhist/semantic_index.hpp>

namespace actionhist::test {

// The same for the same number.
inline std::vector<float> random_vector(std::size_t number, std::size_t dimension) {
  std::mt19937 random(static_cast<unsigned>(number) * 2654435761U + 1);
  std::normal_distribution<float> normal;
  std::vector<float> out(dimension);
  for (float& x : out) x = normal(random);
  return out;
}

inline std::vector<std::string> ids(const std::vector<IndexHit>& hits) {
  std::vector<std::string> out;
  for (const IndexHit& hit : hits) out.push_back(hit.id);
  return out;
}

}  // namespace actionhist::test
