#include "analysis/trend.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "analysis/statistics.hpp"

namespace actionhist {
namespace {

// Kendall (1975): what groups of equal values take from the variance of S.
double variance_of_s(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::ranges::sort(sorted);
  const auto term = [](double t) { return t * (t - 1) * (2 * t + 5); };
  double variance = term(static_cast<double>(values.size()));
  for (auto first = sorted.begin(); first != sorted.end();) {
    const auto last = std::upper_bound(first, sorted.end(), *first);
    variance -= term(static_cast<double>(last - first));
    first = last;
  }
  return variance / 18;
}

int sign(double value) { return (value > 0) - (value < 0); }

// Of all pairs, by how many steps lie between: so the compiler can divide several at once.
std::vector<double> slopes_of(std::span<const double> values) {
  const std::size_t size = values.size();
  std::vector<double> slopes(size * (size - 1) / 2);
  double* slope = slopes.data();
  for (std::size_t steps = 1; steps < size; ++steps) {
    const double* const later = values.data() + steps;
    const auto length = static_cast<double>(steps);
    for (std::size_t i = 0; i < size - steps; ++i) slope[i] = (later[i] - values[i]) / length;
    slope += size - steps;
  }
  return slopes;
}

}  // namespace

Trend mann_kendall(std::span<const double> values) {
  Trend trend;
  if (values.size() < 2) return trend;
  std::vector<double> slopes = slopes_of(values);
  std::int64_t s = 0;
  for (const double slope : slopes) s += std::int64_t{slope > 0} - std::int64_t{slope < 0};
  trend.s = static_cast<double>(s);
  trend.slope = median(std::move(slopes));
  trend.direction = sign(trend.s);
  const double variance = variance_of_s(values);
  if (variance <= 0 || trend.s == 0) return trend;
  const double z = (std::abs(trend.s) - 1) / std::sqrt(variance);
  trend.p = std::min(1., 2 * normal_tail(z));
  return trend;
}

}  // namespace actionhist
