// Which alerts followed which action, and how closely they are related to it. A proposal may come with all alerts of
// a week, so only those that fired near an action are kept, by what relates them. Internal to analysis/.
// Belongs to one thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analysis/relation.hpp"
#include "analysis/thresholds.hpp"
#include "analysis/window.hpp"

namespace actionhist {

struct Firing {
  std::string_view alert;
  TimePoint at;
  std::optional<TimePoint> ended;
  std::string_view severity;
  Place place;
  std::size_t number = 0;  // the same for all firings of one alert on one resource
};

// An alert that an action was followed by.
struct Edge {
  const Step* action;
  const Firing* firing;
  double weight;    // of their relation
  double surprise;  // how little the alert was to be expected

  double score() const { return weight * surprise; }
};

using Edges = std::vector<Edge>;

class AlertGraph {
 public:
  // `window` must outlive it.
  AlertGraph(const Window& window, const Thresholds& thresholds);

  // True if any alert is known, and if any fired within reach after an action. Mostly none did, and then no action has
  // edges.
  bool any_fired() const { return any_fired_; }
  bool any_followed() const { return !firings_.empty(); }

  // True for what can set off an alert: it changed something, or runs.
  static bool acts(const Step& step) { return step.mutating && step.counted() && !step.candidate; }

  // The first firing of each related alert within reach after the action, if it was quiet before; by time.
  // REQUIRES: `action` is a step of the window. The edges live as long as the graph.
  const Edges& edges_of(const Step& action);

  // The steps that answer the alert, from its firing on, oldest first.
  Steps answers_to(const Firing& firing) const;

  // How many related alerts started within reach before the action, and after it; without its own.
  std::pair<int, int> before_and_after(const Step& action) const;

  // True if a critical alert is known to have fired in the namespace until then.
  bool critical_until(std::string_view namespace_, TimePoint until) const;

 private:
  using Numbers = std::vector<std::size_t>;

  // All firings of one alert on one resource, by time. Of those that were only counted, the last one stands for all.
  struct AlertPast {
    std::vector<TimePoint> fired;
    std::vector<TimePoint> ended;  // the latest known end of those until then
    std::int64_t only_counted = 0;
  };

  // What relates an action to alerts.
  struct Cause {
    const Step& action;
    Place place;
    std::vector<std::string_view> alerts;  // answered under its correlation, or by what followed it up
  };

  template <class Visitor>
  void for_each_firing(Visitor visit) const;
  void read_steps();
  // When anything acted; sorted.
  std::vector<TimePoint> times_of_actions() const;
  void keep_near(const std::vector<TimePoint>& actions);
  void relate();
  Cause cause_of(const Step& action) const;
  // Those related to the action in (after, until], by time, as indices of firings_.
  Numbers related(const Cause& cause, TimePoint after, TimePoint until) const;
  double weight_of(const Cause& cause, const Firing& firing) const;
  bool fired_before(const Step& action, const Firing& firing) const;
  double surprise_of(const Step& action, const Firing& firing) const;

  const Window& window_;
  std::chrono::microseconds reach_;
  bool any_fired_ = false;
  std::vector<Firing> firings_;   // near an action, by time; empty if none followed one
  std::vector<AlertPast> pasts_;  // by number
  std::unordered_map<std::string, Numbers> related_by_;  // firings by what relates them, by time
  std::unordered_map<std::string_view, Steps> answers_;  // steps by the alert that they answer, oldest first
  std::unordered_map<std::string_view, std::vector<std::string_view>> alerts_of_correlation_;
  std::unordered_map<std::string_view, std::string_view> alert_of_action_;
  std::vector<std::optional<Edges>> edges_;  // by step
};

}  // namespace actionhist
