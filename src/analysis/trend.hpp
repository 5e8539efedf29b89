// Whether a series rises or falls, and how fast, without assuming a distribution.
// Pure functions; may be called from any thread.
#pragma once

#include <span>

namespace actionhist {

struct Trend {
  int direction = 0;  // of S: +1 rises, −1 falls, 0 neither
  double s = 0;       // concordant minus discordant pairs
  double p = 1;       // two-sided, by the normal approximation with continuity correction
  double slope = 0;   // Sen's, per step
};

// The test of Mann (1945) and Kendall (1975) with its variance corrected for ties, and the slope of Sen
// (1968): the median of all pairwise slopes. `values` are in order of time, one step apart. Fewer than two
// values have no trend. Takes O(n²) time and memory, so give it means of groups when there are thousands.
Trend mann_kendall(std::span<const double> values);

}  // namespace actionhist
