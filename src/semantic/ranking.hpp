// Ordering rows by score, and making one score of two. Pure functions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <actionhist/semantic_index.hpp>

namespace actionhist {

struct ScoredRow {
  std::uint32_t row;
  double score;
};

// Keeps the best `count` rows, best first; `before(a, b)` orders rows of equal score.
template <class Before>
void keep_best(std::vector<ScoredRow>& scored, std::size_t count, Before before) {
  const auto better = [&](const ScoredRow& a, const ScoredRow& b) {
    return a.score != b.score ? a.score > b.score : before(a.row, b.row);
  };
  if (scored.size() > count) {
    std::nth_element(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(count), scored.end(),
                     better);
    scored.resize(count);
  }
  std::sort(scored.begin(), scored.end(), better);
}

struct Candidate {
  std::uint32_t row;
  double similarity;
  double bm25;
  double score = 0;
};

// The score, in [0, 1], of a vector that nothing else speaks for.
double score_of(double similarity, Metric metric);

// Sets `score` of each: both legs scaled to [0, 1] over the candidates (min–max), added by weight. A leg in
// which no candidate differs gives all of them 1 if its score is positive or `any_similarity` says that the
// sign means nothing, else 0. A leg with weight 0 counts for nothing.
void fuse(std::vector<Candidate>& candidates, double vector_weight, double lexical_weight,
          bool any_similarity);

}  // namespace actionhist
