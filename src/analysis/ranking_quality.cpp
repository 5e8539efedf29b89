#include "analysis/ranking_quality.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace actionhist {
namespace {

double discounted(std::span<const double> gains, std::size_t k) {
  double sum = 0;
  for (std::size_t i = 0; i < gains.size() && i < k; ++i) {
    sum += gains[i] / std::log2(static_cast<double>(i) + 2);
  }
  return sum;
}

}  // namespace

double ndcg(std::span<const double> gains, std::vector<double> relevant, std::size_t k) {
  std::sort(relevant.begin(), relevant.end(), std::greater<>());
  const double best = discounted(relevant, k);
  return best > 0 ? discounted(gains, k) / best : 0;
}

double recall(std::span<const double> gains, std::size_t relevant, std::size_t k) {
  const auto first = gains.first(std::min(gains.size(), k));
  const auto found = std::ranges::count_if(first, [](double gain) { return gain > 0; });
  const std::size_t most = std::min(relevant, k);
  return most > 0 ? static_cast<double>(found) / static_cast<double>(most) : 0;
}

double reciprocal_rank(std::span<const double> gains) {
  const auto first = std::ranges::find_if(gains, [](double gain) { return gain > 0; });
  return first != gains.end() ? 1 / static_cast<double>(first - gains.begin() + 1) : 0;
}

}  // namespace actionhist
