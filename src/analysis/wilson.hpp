// The interval of a rate by Wilson (1927), which keeps its coverage for a handful of trials.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace actionhist {

struct Interval {
  double lower = 0;
  double upper = 1;
};

// The interval of the rate behind `successes` out of `trials`, z standard deviations wide to each side.
// `successes` may be a sum of scores. Without trials nothing is known: [0, 1].
inline Interval wilson(double successes, double trials, double z) {
  if (trials <= 0) return {};
  const double rate = successes / trials;
  const double spread = z * z / trials;
  const double center = (rate + spread / 2) / (1 + spread);
  const double half = z / (1 + spread) * std::sqrt(rate * (1 - rate) / trials + spread / trials / 4);
  return {std::max(0., center - half), std::min(1., center + half)};
}

// How sure it is, after so many attempts and no success, that the next fails: what an interval of 80 %, two-sided,
// leaves. After 3 at most .353 of them succeed, after 5 at most .247.
inline double confidence_of_failure(std::size_t attempts) {
  return 1 - wilson(0, static_cast<double>(attempts), 1.28).upper;
}

}  // namespace actionhist
