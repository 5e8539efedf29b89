// Which of the best rows become hits when they shall not all say the same. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "semantic/ranking.hpp"
#include "semantic/vector_leg.hpp"

namespace actionhist {

// The candidates, in their order, without those whose similarity to one before is at least `least`, or to
// `excluded`; at most `count`. A row without a vector is like no other.
std::vector<Candidate> distinct(std::span<const Candidate> best_first, const VectorLeg& vectors, double least,
                                std::optional<std::uint32_t> excluded, std::size_t count);

// `count` of the candidates by maximal marginal relevance: each time the one with the largest
// λ · score − (1 − λ) · (the largest likeness to one taken before), the first of equals.
// J. Carbonell, J. Goldstein: The use of MMR, diversity-based reranking for reordering documents and producing
// summaries. SIGIR 1998.
std::vector<Candidate> by_marginal_relevance(std::span<const Candidate> best_first, const VectorLeg& vectors,
                                             double lambda, std::size_t count);

}  // namespace actionhist
