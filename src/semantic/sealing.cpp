#include "semantic/sealing.hpp"

#include "semantic/calibration.hpp"

namespace actionhist {
namespace {

// Calibrated anew when the graph has grown by half.
constexpr double calibration_growth = 1.5;

}  // namespace

bool Sealing::build(const std::function<bool()>& cancelled) {
  graph = extended(graph.get(), vectors, end, options, cancelled);
  if (!graph) return false;
  const auto grown = static_cast<double>(calibration.slots) * calibration_growth;
  if (calibration.slots > 0 && static_cast<double>(end) <= grown) return true;
  const auto measured = calibrate(*graph, vectors, cancelled);
  if (measured) calibration = *measured;
  return measured.has_value();
}

}  // namespace actionhist
