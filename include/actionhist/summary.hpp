// A resource at a glance, for dashboards and custom resources.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <actionhist/pattern.hpp>
#include <actionhist/resource.hpp>

namespace actionhist {

struct ActivePattern {
  PatternType pattern_type{};
  Severity severity{};
  TimePoint last_detected{};
};

struct Summary {
  std::string resource_id;
  Resource resource;
  std::int64_t total_actions = 0;
  std::optional<TimePoint> last_action_at;
  std::int64_t last_24h = 0;
  std::int64_t last_7d = 0;
  // Completed of all that ended in the last 7 days; absent when none did.
  std::optional<double> success_rate;
  // Mean of the assessed scores of the last 7 days; absent when none was assessed.
  std::optional<double> recent_effectiveness;
  std::vector<ActivePattern> active_patterns;
};

std::string to_json(const Summary& summary);

}  // namespace actionhist
