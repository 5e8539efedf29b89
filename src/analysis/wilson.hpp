// The interval of a rate by Wilson (1927), which keeps its coverage for a handful of trials.
#pragma once

#include <algorithm>
#include <cmath>

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

}  // namespace actionhist
