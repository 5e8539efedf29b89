#include "semantic/diversity.hpp"

#include <algorithm>

namespace actionhist {
namespace {

// Vectors are normalised to seven digits.
constexpr double rounding = 1e-6;

}  // namespace

std::vector<Candidate> distinct(std::span<const Candidate> best_first, const VectorLeg& vectors, double least,
                                std::optional<std::uint32_t> excluded, std::size_t count) {
  std::vector<Vectors::Query> taken;
  if (excluded && vectors.has(*excluded)) taken.push_back(vectors.query_of(*excluded));
  std::vector<Candidate> kept;
  for (const Candidate& candidate : best_first) {
    if (kept.size() == count) break;
    if (vectors.has(candidate.row)) {
      const auto alike = [&](const Vectors::Query& one) {
        return vectors.similarity(one, candidate.row) >= least - rounding;
      };
      if (std::ranges::any_of(taken, alike)) continue;
      taken.push_back(vectors.query_of(candidate.row));
    }
    kept.push_back(candidate);
  }
  return kept;
}

std::vector<Candidate> by_marginal_relevance(std::span<const Candidate> best_first, const VectorLeg& vectors,
                                             double lambda, std::size_t count) {
  std::vector<Candidate> left(best_first.begin(), best_first.end());
  std::vector<double> likeness(left.size(), 0);  // of each to the nearest that was taken
  std::vector<Candidate> taken;
  while (taken.size() < count && !left.empty()) {
    std::size_t best = 0;
    const auto relevance = [&](std::size_t i) { return lambda * left[i].score - (1 - lambda) * likeness[i]; };
    for (std::size_t i = 1; i < left.size(); ++i) {
      if (relevance(i) > relevance(best)) best = i;
    }
    taken.push_back(left[best]);
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(best));
    likeness.erase(likeness.begin() + static_cast<std::ptrdiff_t>(best));
    if (!vectors.has(taken.back().row)) continue;
    const Vectors::Query last = vectors.query_of(taken.back().row);
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!vectors.has(left[i].row)) continue;
      const double near = score_of(vectors.similarity(last, left[i].row), vectors.metric());
      likeness[i] = std::max(likeness[i], near);
    }
  }
  return taken;
}

}  // namespace actionhist
