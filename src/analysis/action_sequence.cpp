// Action sequence: the types that a pattern lists, in their order, on one resource.
#include <algorithm>
#include <cmath>

#include "analysis/detectors.hpp"
#include "analysis/verbs.hpp"

namespace actionhist {
namespace {

// The latest steps that hold the sequence `times` times one after the other, oldest first; empty if none do.
Steps latest(const Steps& steps, const std::vector<std::string>& sequence, int times) {
  Steps found;
  std::size_t wanted = sequence.size() * static_cast<std::size_t>(times);
  for (auto step = steps.rbegin(); step != steps.rend() && wanted > 0; ++step) {
    if ((*step)->type->plain != sequence[(wanted - 1) % sequence.size()]) continue;
    found.push_back(*step);
    --wanted;
  }
  if (wanted > 0) return {};
  std::ranges::reverse(found);
  return found;
}

// True if the pattern asks for it and the actions helped.
bool asked_and_helped(const Window& window, const Thresholds& thresholds, const Steps& steps) {
  const Json& config = window.pattern().threshold_config;
  if (config.text().find("\"effectiveness_threshold\"") == std::string::npos) return false;
  const auto mean = mean_score(steps);
  return mean && *mean >= thresholds.effectiveness_threshold;
}

Window::ByResource by_resource(const Window& window) {
  Window::ByResource groups;
  for (const Step* step : window.steps()) {
    if (!step->began()) continue;
    auto group = std::ranges::find(groups, step->resource, &std::pair<std::string_view, Steps>::first);
    if (group == groups.end()) group = groups.insert(groups.end(), {step->resource, {}});
    group->second.push_back(step);
  }
  return groups;
}

}  // namespace

void find_action_sequence(const Window& window, const Thresholds& thresholds, Finding& finding) {
  std::vector<std::string> sequence;
  for (const std::string& type : window.pattern().action_sequence) sequence.push_back(plain_type(type));
  const int times = window.pattern().min_occurrences;
  for (const auto& [resource, steps] : by_resource(window)) {
    Steps found = latest(steps, sequence, times);
    if (found.empty() || asked_and_helped(window, thresholds, found)) continue;
    Match match("action-sequence");
    match.confidence = 1 - std::exp2(-static_cast<double>(found.size()));
    match.facts.member("completed_by", sequence.back()).member("occurrences", times);
    match.steps = std::move(found);
    report(window, thresholds, std::move(match), finding);
  }
}

}  // namespace actionhist
