// The figures that describe a handful of scores, and the quantiles behind intervals. The distributions are
// those of Boost.Math. Pure functions; may be called from any thread.
#pragma once

#include <span>
#include <vector>

#include "analysis/wilson.hpp"

namespace actionhist {

// REQUIRES: `values` is not empty. Sums in the order given, so that equal input gives equal bytes.
double mean(std::span<const double> values);

// The middle value, or the mean of the two in the middle. REQUIRES: not empty; finite.
double median(std::vector<double> values);

// The sample's standard deviation (n − 1); 0 for fewer than two values.
double deviation(std::span<const double> values);

// The probability that a standard normal exceeds z.
double normal_tail(double z);

// The value that a standard normal stays below with probability p. REQUIRES: 0 < p < 1.
double normal_quantile(double p);

// The same of Student's t. REQUIRES: degrees > 0.
double student_quantile(double p, double degrees);

// The same of a Beta(a, b). REQUIRES: a > 0, b > 0, 0 <= p <= 1.
double beta_quantile(double a, double b, double p);

// A 95 % interval of the mean of `n` scores in [0, 1]: Wilson's below 50 scores, which is conservative
// because no such score varies more than a success or failure does, and Student's t from there on, cut to
// [0, 1]. Scores that are all alike keep Wilson's, because they say nothing about how much others vary.
Interval score_interval(double mean, double deviation, double n);

}  // namespace actionhist
