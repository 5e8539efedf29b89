// Evidence as it looked at one moment, for all patterns that are held against it, one after another.
// Belongs to one thread.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/evidence.hpp"
#include "analysis/moves.hpp"
#include "analysis/step.hpp"

namespace actionhist {

class Scene {
 public:
  // `evidence` must outlive it.
  Scene(const Evidence& evidence, TimePoint as_of);
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  const Evidence& evidence() const { return evidence_; }
  TimePoint as_of() const { return as_of_; }

  // The actions until `as_of`, oldest first, and the proposed one at their end.
  const std::vector<Step>& steps() const { return steps_; }

  // How many resources the steps have; each has a place below that.
  std::size_t places() const { return places_.size(); }

  // The proposed action, or nullptr.
  const Step* candidate() const;

  // As movements() says, kept for the next pattern that looks at the same steps; good until the next call.
  // REQUIRES: they are of this scene.
  const Movements& movements_of(const Steps& steps);

 private:
  void add(const TraceDigest& digest, bool candidate);

  const Evidence& evidence_;
  TimePoint as_of_;
  std::optional<TraceDigest> proposed_;  // read here
  std::vector<Step> steps_;
  std::unordered_map<std::string_view, int> places_;  // of resources
  Steps moved_;                                       // whose movements are kept
  Movements movements_;
};

}  // namespace actionhist
