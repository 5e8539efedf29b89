#include "analysis/trend.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

#include "analysis/statistics.hpp"

namespace actionhist {
namespace {

// What the groups of t equal values take from the variance of S.
struct Ties {
  double pairs = 0;     // Σ t(t − 1)
  double triples = 0;   // Σ t(t − 1)(t − 2)
  double weighted = 0;  // Σ t(t − 1)(2t + 5)
};

Ties ties_of(std::span<const double> values) {
  // Times mostly rise from each to the next.
  if (std::ranges::adjacent_find(values, std::greater_equal()) == values.end()) return {};
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  Ties ties;
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto last = std::upper_bound(first, sorted.end(), *first);
    const auto t = static_cast<double>(last - first);
    ties.pairs += t * (t - 1);
    ties.triples += t * (t - 1) * (t - 2);
    ties.weighted += t * (t - 1) * (2 * t + 5);
    first = last;
  }
  return ties;
}

// Kendall (1975), for ties among the values and among the times.
double variance_of_s(std::span<const double> times, std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  const Ties t = ties_of(times);
  const Ties v = ties_of(values);
  double variance = (n * (n - 1) * (2 * n + 5) - t.weighted - v.weighted) / 18;
  variance += t.pairs * v.pairs / (2 * n * (n - 1));
  if (n > 2) variance += t.triples * v.triples / (9 * n * (n - 1) * (n - 2));
  return variance;
}

int sign(double value) { return (value > 0) - (value < 0); }

}  // namespace

Trend mann_kendall(std::span<const double> values) {
  std::vector<double> steps(values.size());
  std::iota(steps.begin(), steps.end(), 0.);
  return mann_kendall(steps, values);
}

Trend mann_kendall(std::span<const double> times, std::span<const double> values) {
  assert(times.size() == values.size());
  Trend trend;
  const std::size_t size = values.size();
  if (size < 2) return trend;
  std::vector<double> slopes;
  slopes.reserve(size * (size - 1) / 2);
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t j = i + 1; j < size; ++j) {
      if (!(times[j] > times[i])) continue;
      trend.s += sign(values[j] - values[i]);
      slopes.push_back((values[j] - values[i]) / (times[j] - times[i]));
    }
  }
  if (slopes.empty()) return trend;
  trend.slope = median(std::move(slopes));
  const double variance = variance_of_s(times, values);
  trend.direction = sign(trend.s);
  if (variance <= 0 || trend.s == 0) return trend;
  const double z = (std::abs(trend.s) - 1) / std::sqrt(variance);
  trend.p = std::min(1., 2 * normal_tail(z));
  return trend;
}

}  // namespace actionhist
