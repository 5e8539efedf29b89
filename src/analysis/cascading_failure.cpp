// Cascading failure: an action is followed by new alerts on related resources, or by an alert whose remedy
// is followed by another. An edge from an action to an alert is worth s = weight · surprise, and the
// confidence is 1 − Π(1 − s/2).
#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_set>

#include <fmt/format.h>

#include "analysis/alert_graph.hpp"
#include "analysis/detectors.hpp"

namespace actionhist {
namespace {

// A cascade of thousands of alerts is understood from fewer.
constexpr std::size_t most_written_edges = 256;

// P(X ≥ after) of `all` fair coins: whether alerts after the action are more than those before it.
double binomial_p(int after, int all) {
  long double p = 0;
  long double term = std::exp2(-static_cast<long double>(all));  // as a double it were 0 from 1,075 alerts on
  for (int i = 0; i <= all; ++i) {
    if (i >= after) p += term;
    term *= static_cast<long double>(all - i) / (i + 1);
  }
  return static_cast<double>(p);
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

Cascade follow(const Window& window, AlertGraph& graph, const Step& root) {
  Cascade cascade;
  std::vector<std::pair<const Step*, int>> queue{{&root, 1}};
  std::vector<bool> queued(window.scene_size());
  queued[window.index_of(root)] = true;
  std::unordered_set<std::size_t> alerts;
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const auto [action, depth] = queue[next];
    const Edges& edges = graph.edges_of(*action);
    if (next == 0) cascade.fan_out = edges.size();
    // An answer that set off nothing is no part of the cascade; a proposed one would go on with it.
    if (action == &root || action->candidate || !edges.empty()) cascade.steps.push_back(action);
    if (edges.empty()) continue;
    if (action != &root) ++cascade.answers;
    cascade.depth = std::max(cascade.depth, depth);
    for (const Edge& edge : edges) {
      if (!alerts.insert(edge.firing->number).second) continue;
      cascade.edges.push_back(edge);
      for (const Step* step : graph.answers_to(*edge.firing)) {
        const std::size_t index = window.index_of(*step);
        if ((!AlertGraph::acts(*step) && !step->candidate) || queued[index]) continue;
        queued[index] = true;
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
  std::unordered_set<std::string_view> namespaces;
  for (const Edge& edge : cascade.edges) {
    const std::string& place = edge.firing->place.resource->namespace_;
    if (edge.firing->severity != "critical" || !namespaces.insert(place).second) continue;
    if (!graph.critical_until(place, root.done)) return Severity::critical;
  }
  return cascade.edges.size() >= 5 || cascade.depth >= 2 ? Severity::high : Severity::medium;
}

void write_edges(JsonWriter& facts, const Cascade& cascade) {
  const std::size_t written = std::min(cascade.edges.size(), most_written_edges);
  if (written < cascade.edges.size()) facts.member("edges_left_out", cascade.edges.size() - written);
  facts.key("edges").begin_array();
  for (const Edge& edge : std::span(cascade.edges).first(written)) {
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
  const auto acts = [](const Step* step) { return AlertGraph::acts(*step); };
  if (std::ranges::none_of(window.steps(), acts)) return;
  AlertGraph graph(window, thresholds);
  if (!graph.any_fired() && !window.evidence().alerts_known)
    not_evaluated(window, "no alert events", finding);
  if (!graph.any_followed()) return;
  std::vector<bool> explained(window.scene_size());
  for (const Step* each : window.steps()) {
    const Step& root = *each;
    if (!acts(each) || explained[window.index_of(root)]) continue;
    const Cascade cascade = follow(window, graph, root);
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
    for (const Step* step : cascade.steps) explained[window.index_of(*step)] = true;
    JsonWriter& facts = match.facts;
    facts.member("fan_out", cascade.fan_out).member("depth", cascade.depth);
    facts.member("alerts_before", sides.first).member("alerts_after", sides.second);
    facts.member("binomial_p", binomial_p(sides.second, all));
    write_edges(facts, cascade);
    report(window, thresholds, std::move(match), finding);
  }
}

}  // namespace actionhist
