#include "analysis/significance.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analysis/statistics.hpp"

namespace actionhist {

double mann_whitney(std::span<const ScoreCount> a, std::span<const ScoreCount> b) {
  double n_a = 0;
  double n_b = 0;
  for (const ScoreCount& group : a) n_a += static_cast<double>(group.count);
  for (const ScoreCount& group : b) n_b += static_cast<double>(group.count);
  if (n_a == 0 || n_b == 0) return 1;

  double u = 0;      // pairs in which a wins, ties as half
  double ties = 0;   // Σ t³ − t over groups of equal scores
  double below = 0;  // of b
  auto other = b.begin();
  const auto tie = [&](double t) { ties += t * t * t - t; };
  for (const ScoreCount& group : a) {
    for (; other != b.end() && other->score < group.score; ++other) {
      below += static_cast<double>(other->count);
      tie(static_cast<double>(other->count));
    }
    const auto count = static_cast<double>(group.count);
    double equal = 0;
    if (other != b.end() && other->score == group.score) {
      equal = static_cast<double>(other->count);
      ++other;
    }
    u += count * (below + equal / 2);
    below += equal;
    tie(count + equal);
  }
  for (; other != b.end(); ++other) tie(static_cast<double>(other->count));

  const double n = n_a + n_b;
  const double variance = n_a * n_b / 12 * (n + 1 - ties / (n * (n - 1)));
  if (!(variance > 0)) return 1;
  const double distance = std::abs(u - n_a * n_b / 2) - .5;
  return std::min(1., 2 * normal_tail(std::max(0., distance) / std::sqrt(variance)));
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::greater<>(), [&](std::size_t i) { return p[i]; });
  std::vector<double> adjusted(p.size());
  double least = 1;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto rank = static_cast<double>(p.size() - i);
    least = std::min(least, p[order[i]] * static_cast<double>(p.size()) / rank);
    adjusted[order[i]] = least;
  }
  return adjusted;
}

}  // namespace actionhist
