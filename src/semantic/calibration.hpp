// Compares walks, codes and signs with exact answers on a sample of the slots themselves.
#pragma once

#include <functional>
#include <optional>

#include "semantic/graph.hpp"
#include "semantic/planner.hpp"
#include "semantic/vectors.hpp"

namespace actionhist {

// Nothing when `cancelled` said so, which is asked every few milliseconds: the more slots, the longer this takes.
// REQUIRES: the graph is over the first slots of `vectors`.
std::optional<Calibration> calibrate(const Graph& graph, const Vectors& vectors,
                                     const std::function<bool()>& cancelled);

}  // namespace actionhist
