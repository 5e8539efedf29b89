// Ranks action types by how well they worked in situations like the present one. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/learning_store.hpp>
#include <actionhist/recommendation.hpp>

namespace actionhist {

// A past action and how much it is like the situation, in [0, 1].
struct SimilarCase {
  const Trace* trace = nullptr;
  double similarity = 0;  // beside the best, which has 1
  double likeness = 1;    // by itself, beside what any two texts have in common
};

// The effectiveness if it was assessed, 0 for an action that failed, else nothing.
std::optional<double> outcome_of(const Trace& trace);

// All types among the cases and those used on the same resource or for the same alert, best first by the lower
// quantile times the squared share, or to explore by the upper quantile times how like its best case is. Spellings of
// one type are taken together and named as in the most similar case. REQUIRES: `cases` are sorted, most similar first.
std::vector<Recommendation> rank_actions(std::span<const SimilarCase> cases, std::span<const Tally> tallies,
                                         bool explore);

// The type that works best on the same resource or for the same alert, if its lower quantile is above that of
// `action_type` there; nothing if no other was tried or none is better.
std::optional<Recommendation> alternative_to(std::string_view action_type, std::span<const Tally> tallies);

// True if it worked in a case that is like the situation.
bool advises_for(const Recommendation& recommendation);

// True if the cases speak against it: most of its examples with a known outcome failed, and there are at
// least two of them or even the upper quantile is below one half.
bool advises_against(const Recommendation& recommendation);

}  // namespace actionhist
