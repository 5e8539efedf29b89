// What one pattern sees of a scene: the actions that it watches, inside its window. Belongs to one call of detect()
// and is used by one thread.
#pragma once

#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/oscillation.hpp"
#include "analysis/scene.hpp"

namespace actionhist {

class Window {
 public:
  // Both must outlive it.
  Window(const Pattern& pattern, Scene& scene, std::chrono::microseconds length);

  const Pattern& pattern() const { return pattern_; }
  const Evidence& evidence() const { return scene_.evidence(); }
  TimePoint as_of() const { return scene_.as_of(); }
  std::chrono::microseconds length() const { return length_; }

  // Oldest first.
  const Steps& steps() const { return steps_; }

  // The place of a step among all of the scene.
  std::size_t index_of(const Step& step) const {
    return static_cast<std::size_t>(&step - scene_.steps().data());
  }
  std::size_t scene_size() const { return scene_.steps().size(); }

  // The proposed action, or nullptr.
  const Step* candidate() const;

  // The mutating steps of each known resource, oldest first; also those that failed or were called off.
  using ByResource = std::vector<std::pair<std::string_view, Steps>>;
  ByResource by_resource() const;
  // Those that a finding may be about: a proposal can only complete what is done to its own resource.
  ByResource judged_resources() const;

  // What the steps moved. REQUIRES: they are of one resource, oldest first.
  const Movements& movements_of(const Steps& steps) const { return scene_.movements_of(steps); }

 private:
  const Pattern& pattern_;
  Scene& scene_;
  std::chrono::microseconds length_;
  Steps steps_;
};

}  // namespace actionhist
