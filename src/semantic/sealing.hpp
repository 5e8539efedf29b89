// A graph in the making: what it is to be built from, and then the graph. It is built from shared chunks, so the rows
// may change meanwhile. A Sealing belongs to one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "semantic/graph.hpp"
#include "semantic/graph_builder.hpp"
#include "semantic/planner.hpp"
#include "semantic/vectors.hpp"

namespace actionhist {

struct Sealing {
  Vectors vectors;
  std::shared_ptr<const Graph> graph;  // before, then after
  Calibration calibration;             // before, then after
  std::size_t end;                     // slots that the graph is to have
  GraphOptions options;

  // False when `cancelled` said so. Throws Error: internal.
  bool build(const std::function<bool()>& cancelled);
};

}  // namespace actionhist
