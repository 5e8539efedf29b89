// Compares walks, codes and signs with exact answers on a sample of the slots themselves.
#pragma once

#include <cstddef>

#include "semantic/graph.hpp"
#include "semantic/planner.hpp"
#include "semantic/vectors.hpp"

namespace actionhist {

// REQUIRES: the graph is over the first slots of `vectors`.
Calibration calibrate(const Graph& graph, const Vectors& vectors);

}  // namespace actionhist
