#include "analysis/window.hpp"

#include <algorithm>

namespace actionhist {
namespace {

bool watches_all(const Pattern& pattern) {
  return pattern.active && pattern.resource_types.empty() && pattern.namespaces.empty() &&
         pattern.label_selectors.absent();
}

}  // namespace

Window::Window(const Pattern& pattern, Scene& scene, std::chrono::microseconds length)
    : pattern_(pattern), scene_(scene), length_(length) {
  const std::vector<Step>& all = scene.steps();
  const std::size_t past = all.size() - (scene.candidate() ? 1 : 0);
  const auto first = std::partition_point(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(past),
                                          [&](const Step& step) { return step.at < as_of() - length; });
  const bool watched = watches_all(pattern);
  steps_.reserve(static_cast<std::size_t>(all.end() - first));
  for (auto step = first; step != all.end(); ++step) {
    if (watched || in_scope(pattern, *step->trace)) steps_.push_back(&*step);
  }
}

const Step* Window::candidate() const {
  return !steps_.empty() && steps_.back()->candidate ? steps_.back() : nullptr;
}

Window::ByResource Window::by_resource() const {
  ByResource groups;
  constexpr std::size_t none = -1;
  std::vector<std::size_t> group_at(scene_.places(), none);
  for (const Step* step : steps_) {
    if (!step->mutating || step->resource.empty()) continue;
    std::size_t& group = group_at[static_cast<std::size_t>(step->place)];
    if (group == none) {
      group = groups.size();
      groups.push_back({step->resource, {}});
    }
    groups[group].second.push_back(step);
  }
  return groups;
}

Window::ByResource Window::judged_resources() const {
  const Step* const proposed = candidate();
  if (proposed == nullptr) return by_resource();
  if (!proposed->mutating || proposed->resource.empty()) return {};
  ByResource groups{{proposed->resource, {}}};
  Steps& own = groups.front().second;
  own.reserve(steps_.size());
  for (const Step* step : steps_) {
    if (step->mutating && step->place == proposed->place) own.push_back(step);
  }
  return groups;
}

}  // namespace actionhist
