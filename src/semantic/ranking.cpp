#include "semantic/ranking.hpp"

#include <cmath>

namespace actionhist {
namespace {

void add_leg(std::vector<Candidate>& candidates, double Candidate::*leg, double weight, bool any_sign) {
  if (weight == 0 || candidates.empty()) return;
  const auto range = std::minmax_element(candidates.begin(), candidates.end(),
                                         [leg](const auto& a, const auto& b) { return a.*leg < b.*leg; });
  const double low = (*range.first).*leg;
  const double high = (*range.second).*leg;
  const double all = high > 0 || any_sign ? 1 : 0;
  for (Candidate& candidate : candidates) {
    candidate.score += weight * (high > low ? (candidate.*leg - low) / (high - low) : all);
  }
}

}  // namespace

double score_of(double similarity, Metric metric) {
  if (metric == Metric::cosine) return std::clamp(similarity, 0.0, 1.0);
  if (metric == Metric::l2) return 1 / (1 - similarity);
  return (1 + similarity / (1 + std::abs(similarity))) / 2;
}

void fuse(std::vector<Candidate>& candidates, double vector_weight, double lexical_weight,
          bool any_similarity) {
  for (Candidate& candidate : candidates) candidate.score = 0;
  add_leg(candidates, &Candidate::similarity, vector_weight, any_similarity);
  add_leg(candidates, &Candidate::bm25, lexical_weight, false);
}

}  // namespace actionhist
