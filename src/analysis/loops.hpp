// The rules of the ineffective loop, each in a file of its own. Internal to analysis/.
#pragma once

#include <optional>

#include "analysis/attempt.hpp"
#include "analysis/detectors.hpp"

namespace actionhist {

// (a) The same calls with the same results, over and over.
std::optional<Match> find_exact_cycle(const Window& window, const Thresholds& thresholds, Attempts& attempts);

// The state before is the same three times, or each attempt starts where the last one ended and the
// alert is still there. REQUIRES: `steps` are the mutating ones of one resource.
std::optional<Match> find_same_state(const Window& window, Attempts& attempts, const Steps& steps);
std::optional<Match> find_hash_chain(const Window& window, const Thresholds& thresholds, Attempts& attempts,
                                     const Steps& steps);

}  // namespace actionhist
