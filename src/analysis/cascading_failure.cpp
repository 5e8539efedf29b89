// Cascading failure: an action is followed by new alerts on related resources, or by an alert whose remedy
// is followed by another. An edge from an action to an alert is worth s = weight · surprise, and the
// confidence is 1 − Π(1 − s/2).
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/detectors.hpp"
#include "analysis/relation.hpp"

namespace actionhist {
namespace {

constexpr std::chrono::hours week{7 * 24};

struct Firing {
  std::string_view alert;
  TimePoint at;
  std::optional<TimePoint> ended;
  std::string_view severity;
  Place place;
  std::size_t number = 0;  // the same for all firings of one alert on one resource
};

struct Edge {
  const Step* action;
  const Firing* firing;
  double weight;
  double surprise;

  double score() const { return weight * surprise; }
};

// P(X ≥ after) of `all` fair coins: whether alerts after the action are more than those before it.
double binomial_p(int after, int all) {
  double p = 0;
  double term = std::exp2(-all);
  for (int i = 0; i <= all; ++i) {
    if (i >= after) p += term;
    term *= static_cast<double>(all - i) / (i + 1);
  }
  return p;
}

class AlertGraph {
 public:
  AlertGraph(const Window& window, const Thresholds& thresholds)
      : window_(window), reach_(minutes(thresholds.edge_minutes)) {
    const Evidence& evidence = window.evidence();
    for (const Alert& alert : evidence.alerts) {
      const std::string_view key = alert.fingerprint.empty() ? alert.name : alert.fingerprint;
      add({key, alert.starts_at, alert.ends_at, alert.severity, {&alert.resource, {}, {}}}, alert.labels);
    }
    for (const TraceDigest* digest : evidence.past.digests()) add(digest->trace);
    if (evidence.candidate) add(*evidence.candidate);
    std::ranges::stable_sort(firings_, {}, &Firing::at);
  }

  const std::vector<Firing>& firings() const { return firings_; }
  std::size_t alerts() const { return alerts_; }

  // The first firing of each related alert within reach after the action, if it was quiet before.
  std::vector<Edge> edges_of(const Step& action) const {
    std::vector<Edge> edges;
    auto next = std::ranges::upper_bound(firings_, action.done, {}, &Firing::at);
    if (next == firings_.end() || next->at > action.done + reach_) return edges;
    const Place place = place_of(action);
    for (; next != firings_.end() && next->at <= action.done + reach_; ++next) {
      const Firing& firing = *next;
      if (firing.alert == alert_key(*action.trace) || fired_before(action, firing)) continue;
      const auto known = [&](const Edge& edge) { return edge.firing->number == firing.number; };
      if (std::ranges::any_of(edges, known)) continue;
      const double weight = weight_of(action, place, firing);
      if (weight > 0) edges.push_back({&action, &firing, weight, surprise_of(action, firing)});
    }
    return edges;
  }

  // Related alerts that started within reach before the action, and after it; without its own.
  std::pair<int, int> before_and_after(const Step& action) const {
    std::vector<const Firing*> before;
    std::vector<const Firing*> after;
    const Place place = place_of(action);
    for (const Firing& firing : firings_) {
      if (firing.at < action.done - reach_ || firing.at > action.done + reach_) continue;
      if (firing.alert == alert_key(*action.trace) || weight_of(action, place, firing) == 0) continue;
      auto& side = firing.at <= action.done ? before : after;
      const auto same = [&](const Firing* other) { return other->number == firing.number; };
      if (std::ranges::none_of(before, same) && std::ranges::none_of(after, same)) side.push_back(&firing);
    }
    return {static_cast<int>(before.size()), static_cast<int>(after.size())};
  }

 private:
  // What an action answers has fired.
  void add(const Trace& trace) {
    if (!trace.alert_firing_time || alert_key(trace).empty()) return;
    add({alert_key(trace),
         *trace.alert_firing_time,
         {},
         trace.alert_severity,
         {&trace.resource, trace.owner, {}}},
        trace.alert_labels);
  }

  void add(Firing firing, const Json& labels) {
    if (firing.at > window_.as_of()) return;
    const auto same = std::ranges::find_if(firings_, [&](const Firing& other) {
      const Resource* const resource = other.place.resource;
      return other.alert == firing.alert &&
             (*resource == *firing.place.resource || same_resource(*resource, *firing.place.resource));
    });
    firing.number = same == firings_.end() ? alerts_++ : same->number;
    const auto known = [&](const Firing& other) {
      return other.number == firing.number && other.at == firing.at;
    };
    if (std::ranges::any_of(firings_, known)) return;
    firing.place.labels = relating_labels(labels);
    firings_.push_back(std::move(firing));
  }

  static Place place_of(const Step& action) {
    const Trace& trace = *action.trace;
    return {&trace.resource, trace.owner, relating_labels(trace.alert_labels)};
  }

  // An end that nobody reported says nothing; then only the start counts.
  bool fired_before(const Step& action, const Firing& firing) const {
    return std::ranges::any_of(firings_, [&](const Firing& other) {
      return other.number == firing.number && other.at <= action.done &&
             (other.at >= action.done - reach_ || (other.ended && *other.ended >= action.done - reach_));
    });
  }

  double weight_of(const Step& action, const Place& place, const Firing& firing) const {
    const Trace& trace = *action.trace;
    const std::string& correlation = trace.correlation_id;
    if (!correlation.empty() && firing.place.labels.correlation_id == correlation) return 1;
    for (const Step* step : window_.steps()) {
      if (step == &action || alert_key(*step->trace) != firing.alert) continue;
      if (!correlation.empty() && step->trace->correlation_id == correlation) return 1;
      const std::string quoted = '"' + step->trace->action_id + '"';
      if (trace.follow_up_actions.text().find(quoted) != std::string::npos) return 1;
    }
    return relation_weight(place, firing.place);
  }

  // 1 − p of a Poisson firing within reach, at the alert's own rate of the last 7 days (half a firing is
  // added, so that an alert that never fired still has a rate).
  double surprise_of(const Step& action, const Firing& firing) const {
    const auto earlier = std::ranges::count_if(firings_, [&](const Firing& other) {
      return other.number == firing.number && other.at < action.done && other.at >= action.done - week;
    });
    const double rate = (static_cast<double>(earlier) + .5) / std::chrono::duration<double>(week).count();
    return std::exp(-rate * std::chrono::duration<double>(reach_).count());
  }

  const Window& window_;
  std::chrono::microseconds reach_;
  std::vector<Firing> firings_;  // by time
  std::size_t alerts_ = 0;
};

bool acts(const Step& step) { return step.mutating && step.counted() && !step.candidate; }

// When any alert fired, by time and each moment once.
std::vector<TimePoint> firing_times(const Window& window) {
  std::vector<TimePoint> times;
  const auto add = [&](TimePoint at) {
    if (at <= window.as_of() && (times.empty() || times.back() != at)) times.push_back(at);
  };
  const auto add_trace = [&](const Trace& trace) {
    if (trace.alert_firing_time && !alert_key(trace).empty()) add(*trace.alert_firing_time);
  };
  for (const Alert& alert : window.evidence().alerts) add(alert.starts_at);
  for (const TraceDigest* digest : window.evidence().past.digests()) add_trace(digest->trace);
  if (window.evidence().candidate) add_trace(*window.evidence().candidate);
  std::ranges::sort(times);
  times.erase(std::unique(times.begin(), times.end()), times.end());
  return times;
}

// Whether any alert fired within reach after an action. Mostly none did, and then there is nothing to relate.
bool any_followed(const Window& window, const std::vector<TimePoint>& fired,
                  std::chrono::microseconds reach) {
  return std::ranges::any_of(window.steps(), [&](const Step* step) {
    if (!acts(*step)) return false;
    const auto next = std::ranges::upper_bound(fired, step->done);
    return next != fired.end() && *next <= step->done + reach;
  });
}

// All that one action set off.
struct Cascade {
  Steps steps;
  std::vector<Edge> edges;
  std::size_t fan_out = 0;  // of the first action
  int depth = 0;            // actions in a row, each followed by an alert
  int answers = 0;          // actions that answer an alert of the cascade and set off another

  double confidence() const {
    double none = std::exp2(-answers);  // that an action answers an alert is certain: s = 1
    for (const Edge& edge : edges) none *= 1 - .5 * edge.score();
    return 1 - none;
  }
};

Cascade follow(const Window& window, const AlertGraph& graph, const Step& root) {
  Cascade cascade;
  std::vector<std::pair<const Step*, int>> queue{{&root, 1}};
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const Step* const action = queue[next].first;
    const int depth = queue[next].second;
    const std::vector<Edge> edges = graph.edges_of(*action);
    if (next == 0) cascade.fan_out = edges.size();
    // An answer that set off nothing is no part of the cascade; a proposed one would go on with it.
    if (action == &root || action->candidate || !edges.empty()) cascade.steps.push_back(action);
    if (edges.empty()) continue;
    if (action != &root) ++cascade.answers;
    cascade.depth = std::max(cascade.depth, depth);
    for (const Edge& edge : edges) {
      const auto known = [&](const Edge& other) { return other.firing->number == edge.firing->number; };
      if (std::ranges::any_of(cascade.edges, known)) continue;
      cascade.edges.push_back(edge);
      for (const Step* step : window.steps()) {
        if (step->at < edge.firing->at || alert_key(*step->trace) != edge.firing->alert) continue;
        const auto queued = [&](const auto& other) { return other.first == step; };
        if ((!acts(*step) && !step->candidate) || std::ranges::any_of(queue, queued)) continue;
        queue.emplace_back(step, depth + 1);
      }
    }
  }
  std::ranges::sort(cascade.steps, {}, &Step::at);
  return cascade;
}

bool several_resources(const Step& root, const Cascade& cascade) {
  return std::ranges::any_of(cascade.edges, [&](const Edge& edge) {
    return !same_resource(*edge.firing->place.resource, root.trace->resource);
  });
}

Severity severity_of(const AlertGraph& graph, const Step& root, const Cascade& cascade) {
  for (const Edge& edge : cascade.edges) {
    if (edge.firing->severity != "critical") continue;
    const std::string& place = edge.firing->place.resource->namespace_;
    const auto earlier = [&](const Firing& firing) {
      return firing.at <= root.done && firing.severity == "critical" &&
             firing.place.resource->namespace_ == place;
    };
    if (std::ranges::none_of(graph.firings(), earlier)) return Severity::critical;
  }
  return cascade.edges.size() >= 5 || cascade.depth >= 2 ? Severity::high : Severity::medium;
}

void write_edges(JsonWriter& facts, const Cascade& cascade) {
  facts.key("edges").begin_array();
  for (const Edge& edge : cascade.edges) {
    facts.begin_object()
        .member("action_id", edge.action->trace->action_id)
        .member("alert", edge.firing->alert);
    facts.member("resource", to_string(*edge.firing->place.resource));
    facts.member("fired_at", format_time(edge.firing->at));
    facts.member("weight", edge.weight).member("surprise", edge.surprise).end_object();
  }
  facts.end_array();
}

}  // namespace

void find_cascading_failure(const Window& window, const Thresholds& thresholds, Finding& finding) {
  if (std::ranges::none_of(window.steps(), [](const Step* step) { return acts(*step); })) return;
  const std::vector<TimePoint> fired = firing_times(window);
  if (fired.empty()) {
    if (!window.evidence().alerts_known) not_evaluated(window, "no alert events", finding);
    return;
  }
  if (!any_followed(window, fired, minutes(thresholds.edge_minutes))) return;
  const AlertGraph graph(window, thresholds);
  if (graph.alerts() < 2) return;
  Steps explained;
  for (const Step* each : window.steps()) {
    const Step& root = *each;
    if (!acts(root) || std::ranges::find(explained, each) != explained.end()) continue;
    Cascade cascade = follow(window, graph, root);
    const bool wide = cascade.fan_out >= static_cast<std::size_t>(window.pattern().min_occurrences);
    if ((!wide && cascade.depth < 2) || !several_resources(root, cascade)) continue;
    if (cascade.confidence() < thresholds.min_confidence) continue;
    const auto sides = graph.before_and_after(root);
    const int all = sides.first + sides.second;
    if (2 * sides.first >= all) {
      not_evaluated(
          window,
          fmt::format("alert-storm, {} of {} related alerts began before the action", sides.first, all),
          finding);
      continue;
    }
    Match match(wide ? "fan-out" : "chain");
    match.confidence = cascade.confidence();
    match.severity = severity_of(graph, root, cascade);
    match.steps = cascade.steps;
    explained.insert(explained.end(), cascade.steps.begin(), cascade.steps.end());
    JsonWriter& facts = match.facts;
    facts.member("fan_out", cascade.fan_out).member("depth", cascade.depth);
    facts.member("alerts_before", sides.first).member("alerts_after", sides.second);
    facts.member("binomial_p", binomial_p(sides.second, all));
    write_edges(facts, cascade);
    report(window, thresholds, std::move(match), finding);
  }
}

}  // namespace actionhist
