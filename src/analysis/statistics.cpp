#include "analysis/statistics.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <vector>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace actionhist {
namespace {

constexpr double many = 50;  // from here on t covers as well as Wilson's and is narrower
constexpr double z_95 = 1.959963984540054;
// From so many values on, counting them in bins first is faster than to look for the middle at once.
constexpr std::size_t worth_bins = 128;

// Keeps of many values those of the bins that the one or two in the middle are in; how many smaller ones are gone.
std::size_t keep_middle(std::vector<double>& values) {
  constexpr int bins = 1024;
  double least = values.front();
  double most = values.front();
  for (const double value : values) {
    least = std::min(least, value);
    most = std::max(most, value);
  }
  const double scale = (bins - 1) / (most - least);
  if (!std::isfinite(scale)) return 0;  // all alike, or nearly
  const auto bin_of = [&](double value) {
    return static_cast<std::uint32_t>(static_cast<std::int32_t>((value - least) * scale));
  };
  std::array<std::uint32_t, bins> counts{};
  for (const double value : values) ++counts[bin_of(value)];

  std::size_t smaller = 0;
  std::uint32_t first = 0;
  while (smaller + counts[first] <= (values.size() - 1) / 2) smaller += counts[first++];
  std::uint32_t last = first;
  for (std::size_t seen = smaller + counts[last]; seen <= values.size() / 2; seen += counts[last]) ++last;
  // Without a jump, which nothing could foresee. What is below the first bin wraps around.
  std::size_t kept = 0;
  for (const double value : values) {
    values[kept] = value;
    kept += bin_of(value) - first <= last - first;
  }
  values.resize(kept);
  return smaller;
}

}  // namespace

double mean(std::span<const double> values) {
  assert(!values.empty());
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
  assert(!values.empty());
  const std::size_t size = values.size();
  const std::size_t smaller = size < worth_bins ? 0 : keep_middle(values);
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(size / 2 - smaller);
  std::nth_element(values.begin(), middle, values.end());
  if (size % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

double deviation(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double center = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - center) * (value - center);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double normal_tail(double z) { return boost::math::cdf(boost::math::complement(boost::math::normal(), z)); }

double normal_quantile(double p) { return boost::math::quantile(boost::math::normal(), p); }

double student_quantile(double p, double degrees) {
  // Not in long double, which costs ten times as much and says the same in all digits that a score has.
  using Double = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  return boost::math::quantile(boost::math::students_t_distribution<double, Double>(degrees), p);
}

double beta_quantile(double a, double b, double p) {
  return boost::math::quantile(boost::math::beta_distribution<>(a, b), p);
}

Interval score_interval(double mean, double deviation, double n) {
  if (n < many || deviation == 0) return wilson(mean * n, n, z_95);
  const double half = student_quantile(.975, n - 1) * deviation / std::sqrt(n);
  return {std::max(0., mean - half), std::min(1., mean + half)};
}

}  // namespace actionhist
