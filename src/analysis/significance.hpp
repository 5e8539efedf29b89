// Whether two groups of scores differ by more than chance, and how many such findings to believe at once.
// Pure functions; may be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace actionhist {

// How often a score was seen.
struct ScoreCount {
  double score = 0;
  std::int64_t count = 0;
};

// The two-sided p of the test of Mann and Whitney (1947) by its normal approximation, corrected for ties and
// continuity. 1 when a group is empty or all scores are alike. REQUIRES: both are sorted by score, each score
// once.
double mann_whitney(std::span<const ScoreCount> a, std::span<const ScoreCount> b);

// The p values of one report, adjusted as by Benjamini and Hochberg (1995): those that stay at or below q
// are found with a share of false ones of at most q. In the order given.
std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace actionhist
