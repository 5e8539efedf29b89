// How good a ranking is when it is known what is relevant. Pure functions. `gains` are those of the ranking in
// its order, 0 for what is not relevant; `relevant` are the gains of everything that is.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace actionhist {

// Normalised discounted cumulative gain of the first k: gains as they are, divided by log2(rank + 1), as
// trec_eval's ndcg_cut. 0 when nothing is relevant.
double ndcg(std::span<const double> gains, std::vector<double> relevant, std::size_t k);

// How many of the first k are relevant, as a share of all that are and of k at most.
double recall(std::span<const double> gains, std::size_t relevant, std::size_t k);

// 1 / rank of the first relevant one; 0 without.
double reciprocal_rank(std::span<const double> gains);

}  // namespace actionhist
