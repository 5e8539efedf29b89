// Action budget: at most so many actions of one type on one resource in the window.
#include <map>

#include "analysis/detectors.hpp"

namespace actionhist {

void find_action_budget(const Window& window, const Thresholds& thresholds, Finding& finding) {
  const auto budget = static_cast<std::size_t>(window.pattern().min_occurrences);
  for (const auto& [resource, steps] : window.judged_resources()) {
    if (steps.size() <= budget) continue;
    std::map<std::string_view, Steps> by_type;
    for (const Step* step : steps) {
      if (step->counted()) by_type[step->type->plain].push_back(step);
    }
    for (auto& [type, same] : by_type) {
      if (same.size() <= budget) continue;
      Match match("over-budget");
      match.confidence = 1;
      match.facts.member("action_type", type).member("count", same.size()).member("budget", budget);
      match.steps = std::move(same);
      report(window, thresholds, std::move(match), finding);
    }
  }
}

}  // namespace actionhist
