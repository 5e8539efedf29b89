#include "history/router.hpp"

#include <algorithm>
#include <string_view>

namespace actionhist {
namespace {

struct Route {
  std::string_view use_case;
  std::string_view route;
  std::string_view fallback;
};

// Safety goes to the database alone; meaning goes to the index, with the database behind it.
constexpr std::array<Route, 10> routes{{
    {"oscillation_detection", "database", ""},
    {"action_prevention", "database", ""},
    {"real_time_decisions", "database", ""},
    {"similar_actions", "index+database", "database text search"},
    {"pattern_discovery", "index+database", ""},
    {"natural_language_search", "index+database", "database text search"},
    {"context_recommendations", "index+database", "database text search"},
    {"time_series_analysis", "database", ""},
    {"effectiveness_metrics", "database", ""},
    {"compliance_reporting", "database", ""},
}};

double milliseconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

}  // namespace

Router::Call::~Call() {
  const auto took = std::chrono::steady_clock::now() - begin_;
  std::lock_guard lock(router_.mutex_);
  Counter& counter = router_.counters_[static_cast<std::size_t>(use_case_)];
  ++counter.hits;
  counter.fallbacks += fell_back_ ? 1 : 0;
  counter.total += took;
  counter.longest = std::max<std::chrono::nanoseconds>(counter.longest, took);
}

std::vector<RouteStats> Router::stats() const {
  std::vector<RouteStats> stats;
  std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    const Counter& counter = counters_[i];
    stats.push_back({std::string(routes[i].use_case), std::string(routes[i].route),
                     std::string(routes[i].fallback), counter.hits, counter.fallbacks,
                     counter.hits > 0 ? milliseconds(counter.total) / static_cast<double>(counter.hits) : 0,
                     milliseconds(counter.longest)});
  }
  return stats;
}

}  // namespace actionhist
