// What became of one attempt, as far as it is known. Internal to analysis/.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analysis/thresholds.hpp"
#include "analysis/window.hpp"

namespace actionhist {

// `unknown` is an attempt that runs, or that nobody assessed: it is no failure.
enum class Progress { unknown, ineffective, inconclusive, success };

// Judges the attempts of a window, each once. Belongs to one thread.
class Attempts {
 public:
  Attempts(const Window& window, const Thresholds& thresholds)
      : window_(window), thresholds_(thresholds), known_(window.scene_size()) {}

  // Ineffective: failed, assessed below the threshold, its alert fired again soon after, or the state stayed
  // the same. A good score outweighs an unchanged state: a restart leaves the spec as it was.
  // REQUIRES: `step` is one of the window.
  Progress of(const Step& step);

 private:
  Progress judge(const Step& step);

  // True if the alert that the action answers fired again within `refire_minutes` of its end, by the alerts
  // or by the firing time of a later action for the same alert.
  bool alert_returned(const Step& step);

  // When each alert fired, by fingerprint; times are sorted. Made when it is first asked for.
  const std::vector<TimePoint>& firings(const std::string& fingerprint);

  const Window& window_;
  const Thresholds& thresholds_;
  using Firings = std::unordered_map<std::string_view, std::vector<TimePoint>>;
  Firings firings_;
  const Firings::value_type* last_ = nullptr;  // of firings_, which was asked for last
  std::vector<std::optional<Progress>> known_;
};

}  // namespace actionhist
