// What has to be done from time to time without an agent asking for it. Plain values.
#pragma once

#include <cstdint>
#include <string>

#include <actionhist/detection.hpp>
#include <actionhist/metrics.hpp>

namespace actionhist {

// What one analyse() did.
struct Analysis {
  std::int64_t resources = 0;   // looked at
  std::int64_t detections = 0;  // new ones
};

// What one upkeep() did.
struct Upkeep {
  Analysis analysis;
  Settlement settlement;
  MetricRefresh metrics;
};

std::string to_json(const Analysis& analysis);
std::string to_json(const Upkeep& upkeep);

}  // namespace actionhist
