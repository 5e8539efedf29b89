#include "analysis/alert_graph.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <fmt/format.h>

#include "analysis/detectors.hpp"

namespace actionhist {
namespace {

constexpr std::chrono::hours rate_span{7 * 24};

// One alert on one resource, whatever the version and uid of the resource.
struct AlertKey {
  std::string_view alert;
  const Resource* resource;

  friend bool operator==(const AlertKey& a, const AlertKey& b) {
    return a.alert == b.alert && (same_resource(*a.resource, *b.resource) || *a.resource == *b.resource);
  }
};

struct HashAlertKey {
  std::size_t operator()(const AlertKey& key) const {
    const std::hash<std::string_view> hash;
    return hash(key.alert) ^ (hash(key.resource->name) * 31) ^ (hash(key.resource->namespace_) * 37);
  }
};

std::string in_namespace(const Resource& resource) {
  return fmt::format("in {}/{}", resource.cluster, resource.namespace_);
}
std::string on_node(const std::string& node) { return "on " + node; }
std::string at_resource(std::string_view name) { return fmt::format("at {}", name); }
std::string needing(std::string_view name) { return fmt::format("needs {}", name); }
std::string in_correlation(std::string_view id) { return fmt::format("correlation {}", id); }
std::string of_alert(std::string_view alert) { return fmt::format("alert {}", alert); }

// True if one of the sorted times lies in [from, to].
bool any_between(const std::vector<TimePoint>& times, TimePoint from, TimePoint to) {
  const auto next = std::ranges::lower_bound(times, from);
  return next != times.end() && *next <= to;
}

}  // namespace

AlertGraph::AlertGraph(const Window& window, const Thresholds& thresholds)
    : window_(window), reach_(minutes(thresholds.edge_minutes)) {
  const std::vector<TimePoint> actions = times_of_actions();
  bool followed = false;
  for_each_firing([&](const Firing& firing, const Json&) {
    any_fired_ = true;
    followed = followed || any_between(actions, firing.at - reach_, firing.at - std::chrono::microseconds{1});
  });
  if (!followed) return;
  keep_near(actions);
  relate();
  read_steps();
  edges_.resize(window.scene_size());
}

// Calls visit(firing, labels) for each alert that is known, without number and labels.
template <class Visitor>
void AlertGraph::for_each_firing(Visitor visit) const {
  const auto give = [&](const Firing& firing, const Json& labels) {
    if (firing.at <= window_.as_of()) visit(firing, labels);
  };
  // What an action answers has fired.
  const auto give_trace = [&](const Trace& trace) {
    if (!trace.alert_firing_time || alert_key(trace).empty()) return;
    give({alert_key(trace),
          *trace.alert_firing_time,
          {},
          trace.alert_severity,
          {&trace.resource, trace.owner, {}}},
         trace.alert_labels);
  };
  for (const Alert& alert : window_.evidence().alerts) {
    const std::string_view key = alert.fingerprint.empty() ? alert.name : alert.fingerprint;
    give({key, alert.starts_at, alert.ends_at, alert.severity, {&alert.resource, {}, {}}}, alert.labels);
  }
  for (const TraceDigest* digest : window_.evidence().past.digests()) give_trace(digest->trace);
  if (window_.evidence().candidate) give_trace(*window_.evidence().candidate);
}

std::vector<TimePoint> AlertGraph::times_of_actions() const {
  std::vector<TimePoint> times;
  for (const Step* step : window_.steps()) {
    if (acts(*step)) times.push_back(step->done);
  }
  std::ranges::sort(times);
  return times;
}

// Keeps the firings within reach of an action, and when their alerts fired before.
void AlertGraph::keep_near(const std::vector<TimePoint>& actions) {
  const auto near = [&](TimePoint at) { return any_between(actions, at - reach_, at + reach_); };
  std::unordered_set<std::string_view> near_alerts;
  for_each_firing([&](const Firing& firing, const Json&) {
    if (near(firing.at)) near_alerts.insert(firing.alert);
  });
  std::vector<std::pair<Firing, const Json*>> all;
  for_each_firing([&](const Firing& firing, const Json& labels) {
    if (near_alerts.contains(firing.alert)) all.emplace_back(firing, &labels);
  });
  std::ranges::stable_sort(all, {}, [](const auto& each) { return each.first.at; });
  std::unordered_map<AlertKey, std::size_t, HashAlertKey> numbers;
  const auto number_of = [&](std::string_view alert, const Resource* resource) {
    const std::size_t number = numbers.try_emplace({alert, resource}, numbers.size()).first->second;
    if (number == pasts_.size()) pasts_.emplace_back();
    return number;
  };
  if (const EarlierAlerts* const earlier = window_.evidence().earlier) {
    for (const EarlierFirings& each : earlier->firings) {
      if (!near_alerts.contains(each.fingerprint)) continue;
      AlertPast& past = pasts_[number_of(each.fingerprint, &each.resource)];
      past.fired.push_back(each.last_starts_at);
      past.ended.push_back(each.latest_end.value_or(TimePoint::min()));
      past.only_counted += each.firings - 1;
    }
  }
  for (auto& [firing, labels] : all) {
    firing.number = number_of(firing.alert, firing.place.resource);
    AlertPast& past = pasts_[firing.number];
    // The same firing may be known as an alert and from the actions that answer it.
    if (!past.fired.empty() && past.fired.back() >= firing.at) continue;
    const TimePoint ended_before = past.ended.empty() ? TimePoint::min() : past.ended.back();
    past.fired.push_back(firing.at);
    past.ended.push_back(std::max(ended_before, firing.ended.value_or(TimePoint::min())));
    if (!near(firing.at)) continue;
    firing.place.labels = relating_labels(*labels);
    firings_.push_back(std::move(firing));
  }
}

// By everything that can give a relation its weight: most rest on the namespace.
void AlertGraph::relate() {
  for (std::size_t i = 0; i < firings_.size(); ++i) {
    const Firing& firing = firings_[i];
    const Resource& resource = *firing.place.resource;
    const RelatingLabels& labels = firing.place.labels;
    const auto by = [&](std::string key) { related_by_[std::move(key)].push_back(i); };
    by(of_alert(firing.alert));
    by(in_namespace(resource));
    by(at_resource(kind_and_name(resource)));
    if (!resource.name.empty()) by(at_resource(resource.name));
    if (!node_of(firing.place).empty()) by(on_node(node_of(firing.place)));
    if (!labels.depends_on.empty()) by(needing(labels.depends_on));
    if (!labels.correlation_id.empty()) by(in_correlation(labels.correlation_id));
  }
}

void AlertGraph::read_steps() {
  for (const Step* step : window_.steps()) {
    const std::string_view alert = alert_key(*step->trace);
    if (alert.empty()) continue;
    answers_[alert].push_back(step);
    alert_of_action_.emplace(step->trace->action_id, alert);
    if (step->trace->correlation_id.empty()) continue;
    auto& alerts = alerts_of_correlation_[step->trace->correlation_id];
    if (alerts.empty() || alerts.back() != alert) alerts.push_back(alert);
  }
  for (auto& [correlation, alerts] : alerts_of_correlation_) {
    std::ranges::sort(alerts);
    alerts.erase(std::unique(alerts.begin(), alerts.end()), alerts.end());
  }
}

AlertGraph::Cause AlertGraph::cause_of(const Step& action) const {
  const Trace& trace = *action.trace;
  Cause cause{action, {&trace.resource, trace.owner, relating_labels(trace.alert_labels)}, {}};
  const auto correlated = alerts_of_correlation_.find(trace.correlation_id);
  if (correlated != alerts_of_correlation_.end()) cause.alerts = correlated->second;
  if (!trace.follow_up_actions.absent()) {
    JsonDocument document;
    for (const JsonElement entry : simdjson::dom::array(document.parse(trace.follow_up_actions))) {
      std::string_view id;
      if (entry.get(id) != simdjson::SUCCESS && entry["action_id"].get(id) != simdjson::SUCCESS) continue;
      const auto follow_up = alert_of_action_.find(id);
      if (follow_up != alert_of_action_.end()) cause.alerts.push_back(follow_up->second);
    }
    std::ranges::sort(cause.alerts);
  }
  return cause;
}

AlertGraph::Numbers AlertGraph::related(const Cause& cause, TimePoint after, TimePoint until) const {
  Numbers found;
  const auto add = [&](const std::string& key) {
    const auto entry = related_by_.find(key);
    if (entry == related_by_.end()) return;
    const auto at = [&](std::size_t i) { return firings_[i].at; };
    const auto begin = std::ranges::upper_bound(entry->second, after, {}, at);
    found.insert(found.end(), begin, std::ranges::upper_bound(begin, entry->second.end(), until, {}, at));
  };
  const Trace& trace = *cause.action.trace;
  const RelatingLabels& labels = cause.place.labels;
  for (const std::string_view alert : cause.alerts) add(of_alert(alert));
  add(in_namespace(trace.resource));
  add(needing(kind_and_name(trace.resource)));
  if (!trace.resource.name.empty()) add(needing(trace.resource.name));
  if (!node_of(cause.place).empty()) add(on_node(node_of(cause.place)));
  if (!labels.depends_on.empty()) add(at_resource(labels.depends_on));
  if (!trace.correlation_id.empty()) add(in_correlation(trace.correlation_id));
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  std::erase_if(found, [&](std::size_t i) { return firings_[i].alert == alert_key(trace); });
  return found;
}

double AlertGraph::weight_of(const Cause& cause, const Firing& firing) const {
  const std::string& correlation = cause.action.trace->correlation_id;
  if (!correlation.empty() && firing.place.labels.correlation_id == correlation) return 1;
  if (std::ranges::binary_search(cause.alerts, firing.alert)) return 1;
  return relation_weight(cause.place, firing.place);
}

const Edges& AlertGraph::edges_of(const Step& action) {
  std::optional<Edges>& known = edges_[window_.index_of(action)];
  if (known) return *known;
  Edges& edges = known.emplace();
  const Cause cause = cause_of(action);
  std::unordered_set<std::size_t> followed;
  for (const std::size_t i : related(cause, action.done, action.done + reach_)) {
    const Firing& firing = firings_[i];
    if (followed.contains(firing.number) || fired_before(action, firing)) continue;
    const double weight = weight_of(cause, firing);
    if (weight == 0) continue;
    followed.insert(firing.number);
    edges.push_back({&action, &firing, weight, surprise_of(action, firing)});
  }
  return edges;
}

Steps AlertGraph::answers_to(const Firing& firing) const {
  const auto found = answers_.find(firing.alert);
  if (found == answers_.end()) return {};
  return {std::ranges::lower_bound(found->second, firing.at, {}, &Step::at), found->second.end()};
}

std::pair<int, int> AlertGraph::before_and_after(const Step& action) const {
  const Cause cause = cause_of(action);
  std::unordered_set<std::size_t> before;
  std::unordered_set<std::size_t> after;
  const TimePoint first = action.done - reach_ - std::chrono::microseconds{1};
  for (const std::size_t i : related(cause, first, action.done + reach_)) {
    const Firing& firing = firings_[i];
    const bool counts = !before.contains(firing.number) && weight_of(cause, firing) > 0;
    if (counts) (firing.at <= action.done ? before : after).insert(firing.number);
  }
  return {static_cast<int>(before.size()), static_cast<int>(after.size())};
}

bool AlertGraph::critical_until(std::string_view namespace_, TimePoint until) const {
  const EarlierAlerts* const earlier = window_.evidence().earlier;
  bool found = earlier != nullptr && std::ranges::find(earlier->critical_namespaces, namespace_) !=
                                         earlier->critical_namespaces.end();
  for_each_firing([&](const Firing& firing, const Json&) {
    found |= firing.at <= until && firing.severity == "critical" &&
             firing.place.resource->namespace_ == namespace_;
  });
  return found;
}

// An end that nobody reported says nothing; then only the start counts.
bool AlertGraph::fired_before(const Step& action, const Firing& firing) const {
  const AlertPast& past = pasts_[firing.number];
  const auto next = std::ranges::upper_bound(past.fired, action.done);
  if (next == past.fired.begin()) return false;
  const auto last = static_cast<std::size_t>(next - past.fired.begin() - 1);
  const TimePoint quiet_since = action.done - reach_;
  return past.fired[last] >= quiet_since || past.ended[last] >= quiet_since;
}

// 1 − p of a Poisson firing within reach, at the alert's own rate of the last 7 days (half a firing is
// added, so that an alert that never fired still has a rate).
double AlertGraph::surprise_of(const Step& action, const Firing& firing) const {
  const AlertPast& past = pasts_[firing.number];
  const auto earlier = past.only_counted + (std::ranges::lower_bound(past.fired, action.done) -
                                            std::ranges::lower_bound(past.fired, action.done - rate_span));
  const double rate = (static_cast<double>(earlier) + .5) / std::chrono::duration<double>(rate_span).count();
  return std::exp(-rate * std::chrono::duration<double>(reach_).count());
}

}  // namespace actionhist
