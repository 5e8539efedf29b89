#include "semantic/similarity_scale.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace actionhist {
namespace {

constexpr std::size_t most_samples = 400;

}  // namespace

SimilarityScale::SimilarityScale(const VectorLeg& leg, std::span<const double> weights)
    : vectors_(leg.slots() - leg.dead()), weights_(weights.begin(), weights.end()) {
  const std::vector<std::uint32_t> sampled = leg.sample(most_samples);
  const Vectors& vectors = leg.vectors();
  similarities_.reserve(sampled.size() * sampled.size() / 2);
  std::vector<float> values(vectors.dimension());
  for (std::size_t i = 0; i < sampled.size(); ++i) {
    vectors.decode(sampled[i], values.data());
    const Vectors::Query query = leg.query(values, weights);
    for (std::size_t j = 0; j < i; ++j) {
      const float distance = vectors.distance(query, sampled[j]);
      similarities_.push_back(static_cast<float>(vectors.similarity(distance)));
    }
  }
  std::ranges::sort(similarities_);
}

bool SimilarityScale::fits(const VectorLeg& leg, std::span<const double> weights) const {
  if (!std::ranges::equal(weights, weights_)) return false;
  const std::size_t now = leg.slots() - leg.dead();
  return (now > vectors_ ? now - vectors_ : vectors_ - now) * 8 <= vectors_;
}

double SimilarityScale::at(double percentile) const {
  if (similarities_.empty()) return -std::numeric_limits<double>::infinity();
  const double place = percentile / 100 * static_cast<double>(similarities_.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, similarities_.size() - 1);
  return std::lerp(static_cast<double>(similarities_[below]), static_cast<double>(similarities_[above]),
                   place - static_cast<double>(below));
}

}  // namespace actionhist
