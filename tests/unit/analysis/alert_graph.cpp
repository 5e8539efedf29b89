#include "analysis/alert_graph.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "analysis/detectors.hpp"
#include "timeline.hpp"

using namespace actionhist;

namespace {

using namespace std::chrono_literals;

constexpr auto reach = 30min;

// The definition, word for word, without any index.
class Plain {
 public:
  Plain(const Window& window) : window_(window) {
    for (const Alert& alert : window.evidence().alerts) {
      add({alert.fingerprint, alert.starts_at, alert.ends_at, alert.severity, {&alert.resource, {}, {}}},
          alert.labels);
    }
    for (const TraceDigest* digest : window.evidence().past.digests()) {
      const Trace& trace = digest->trace;
      if (!trace.alert_firing_time || alert_key(trace).empty()) continue;
      add({alert_key(trace),
           *trace.alert_firing_time,
           {},
           trace.alert_severity,
           {&trace.resource, trace.owner, {}}},
          trace.alert_labels);
    }
    std::ranges::stable_sort(firings_, {}, &Firing::at);
  }

  struct Found {
    std::string_view alert;
    TimePoint at;
    double weight;
    double surprise;
    bool operator==(const Found&) const = default;
  };

  std::vector<Found> edges_of(const Step& action) const {
    std::vector<Found> edges;
    std::vector<const Firing*> followed;
    for (const Firing& firing : firings_) {
      if (firing.at <= action.done || firing.at > action.done + reach) continue;
      if (firing.alert == alert_key(*action.trace) || fired_before(action, firing)) continue;
      if (std::ranges::any_of(followed, [&](const Firing* other) { return same(*other, firing); })) continue;
      const double weight = weight_of(action, firing);
      if (weight == 0) continue;
      followed.push_back(&firing);
      edges.push_back({firing.alert, firing.at, weight, surprise_of(action, firing)});
    }
    return edges;
  }

  std::pair<int, int> before_and_after(const Step& action) const {
    std::vector<const Firing*> seen;
    std::pair<int, int> count;
    for (const Firing& firing : firings_) {
      if (firing.at < action.done - reach || firing.at > action.done + reach) continue;
      if (firing.alert == alert_key(*action.trace) || weight_of(action, firing) == 0) continue;
      if (std::ranges::any_of(seen, [&](const Firing* other) { return same(*other, firing); })) continue;
      seen.push_back(&firing);
      ++(firing.at <= action.done ? count.first : count.second);
    }
    return count;
  }

 private:
  static bool same(const Firing& a, const Firing& b) {
    return a.alert == b.alert &&
           (*a.place.resource == *b.place.resource || same_resource(*a.place.resource, *b.place.resource));
  }

  void add(Firing firing, const Json& labels) {
    if (firing.at > window_.as_of()) return;
    const auto known = [&](const Firing& other) { return same(other, firing) && other.at == firing.at; };
    if (std::ranges::any_of(firings_, known)) return;
    firing.place.labels = relating_labels(labels);
    firings_.push_back(firing);
  }

  bool fired_before(const Step& action, const Firing& firing) const {
    return std::ranges::any_of(firings_, [&](const Firing& other) {
      const bool lasts = other.ended && *other.ended >= action.done - reach;
      return same(other, firing) && other.at <= action.done && (other.at >= action.done - reach || lasts);
    });
  }

  double weight_of(const Step& action, const Firing& firing) const {
    const Trace& trace = *action.trace;
    const std::string& correlation = trace.correlation_id;
    if (!correlation.empty() && firing.place.labels.correlation_id == correlation) return 1;
    for (const Step* step : window_.steps()) {
      if (alert_key(*step->trace) != firing.alert) continue;
      if (!correlation.empty() && step->trace->correlation_id == correlation) return 1;
      const std::string quoted = '"' + step->trace->action_id + '"';
      if (trace.follow_up_actions.text().find(quoted) != std::string::npos) return 1;
    }
    return relation_weight({&trace.resource, trace.owner, relating_labels(trace.alert_labels)}, firing.place);
  }

  double surprise_of(const Step& action, const Firing& firing) const {
    const auto earlier = std::ranges::count_if(firings_, [&](const Firing& other) {
      return same(other, firing) && other.at < action.done && other.at >= action.done - 7 * 24h;
    });
    return std::exp(-(static_cast<double>(earlier) + .5) / (7. * 24 * 2));
  }

  const Window& window_;
  std::vector<Firing> firings_;
};

// A little world in which all kinds of relations occur, and by chance.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {}

  int pick(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  bool chance(int of) { return pick(of) == 0; }

  Resource resource() {
    Resource resource;
    resource.cluster = chance(4) ? "other" : "main";
    resource.namespace_ = chance(6) ? "" : fmt::format("ns{}", pick(3));
    resource.kind = std::vector<std::string>{"Deployment", "Pod", "Node"}[static_cast<std::size_t>(pick(3))];
    resource.name = chance(8) ? "" : fmt::format("{}{}", resource.kind == "Pod" ? "r0-x" : "r", pick(4));
    if (chance(3)) resource.uid = fmt::format("uid{}", pick(3));
    return resource;
  }

  Json labels() {
    std::string text;
    const auto add = [&](std::string_view key, int n) {
      if (chance(4)) text += fmt::format("{}\"{}\":\"r{}\"", text.empty() ? "" : ",", key, pick(n));
    };
    add("app", 3);
    add("node", 4);
    add("depends_on", 4);
    add("correlation_id", 5);
    return Json::parse('{' + text + '}', "labels");
  }

  std::vector<Alert> alerts(int count) {
    std::vector<Alert> all;
    for (int i = 0; i < count; ++i) {
      Alert& alert = all.emplace_back();
      alert.name = alert.fingerprint = fmt::format("alert{}", pick(20));
      alert.resource = resource();
      alert.labels = labels();
      alert.starts_at = at_minute(pick(300) - (chance(3) ? 5'000 : 0));
      if (chance(2)) alert.ends_at = alert.starts_at + 1min * pick(90);
    }
    std::ranges::sort(all, {}, &Alert::starts_at);
    return all;
  }

  std::vector<Trace> actions(int count) {
    Timeline timeline;
    for (int i = 0; i < count; ++i) {
      Trace& trace = timeline.add(i * 7, "patch_config");
      trace.resource = resource();
      trace.alert_labels = labels();
      if (chance(3)) trace.owner = fmt::format("Deployment/r{}", pick(4));
      if (chance(3)) trace.correlation_id = fmt::format("r{}", pick(5));
      if (!chance(4)) trace.alert_fingerprint = fmt::format("alert{}", pick(20));
      if (chance(2)) trace.alert_firing_time = at_minute(i * 7 - pick(40));
      if (chance(5)) {
        trace.follow_up_actions =
            Json::parse(fmt::format(R"([{{"action_id":"web-{}","relation":"retry"}}])", 1 + pick(count)),
                        "follow_up_actions");
      }
      if (chance(4)) trace.outcome.execution_duration_ms = 60'000 * pick(20);
    }
    return timeline.traces;
  }

 private:
  std::mt19937 random_;
};

// Alerts of as many services of one app, the i-th at minute start(i), around a change to the app at minute 0.
template <class Start>
std::vector<Detection> found_in_storm(int count, Start start) {
  Timeline timeline;
  Trace& trace = timeline.add(0, "patch_config");
  trace.alert_labels = Json::object({{"app", "shop"}});
  std::vector<Alert> alerts;
  for (int i = 0; i < count; ++i) {
    Alert& alert = alerts.emplace_back();
    alert.name = alert.fingerprint = fmt::format("alert-{}", i);
    alert.resource = {.kind = "Deployment", .namespace_ = "shop", .name = fmt::format("service-{}", i)};
    alert.labels = Json::object({{"app", "shop"}});
    alert.starts_at = at_minute(start(i));
  }
  return found(PatternType::cascading_failure, timeline, {.alerts = alerts, .as_of = at_minute(40)});
}

}  // namespace

TEST_CASE("an action is followed by the alerts that the plain definition names") {
  std::size_t compared = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    World world(seed);
    const std::vector<Trace> traces = world.actions(25);
    const std::vector<Alert> alerts = world.alerts(120);
    const Evidence evidence{traces, alerts, true};
    const Pattern pattern = shipped(PatternType::cascading_failure);
    Scene scene(evidence, at_minute(200));
    const Window window(pattern, scene, std::chrono::minutes(300));
    AlertGraph graph(window, thresholds_of(pattern));
    const Plain plain(window);
    for (const Step* action : window.steps()) {
      INFO("seed " << seed << ", action " << action->trace->action_id);
      std::vector<Plain::Found> edges;
      for (const Edge& edge : graph.edges_of(*action))
        edges.push_back({edge.firing->alert, edge.firing->at, edge.weight, edge.surprise});
      CHECK(edges == plain.edges_of(*action));
      CHECK(graph.before_and_after(*action) == plain.before_and_after(*action));
      compared += edges.size();
    }
  }
  CHECK(compared > 1'000);
}

TEST_CASE("a storm of alerts writes a part of its edges and says how many it left out") {
  const auto all = found_in_storm(2'000, [](int i) { return 1 + i * .01; });
  REQUIRE(all.size() == 1);
  JsonDocument document;
  const JsonElement evidence = document.parse(all[0].evidence);
  CHECK(std::int64_t(evidence["fan_out"]) == 2'000);
  CHECK(std::int64_t(evidence["edges_left_out"]) +
            std::int64_t(simdjson::dom::array(evidence["edges"]).size()) ==
        2'000);
  CHECK(all[0].severity == Severity::high);
}

TEST_CASE("more alerts after an action than before it are as improbable as coins say, also of thousands") {
  const auto all = found_in_storm(2'001, [](int i) { return i < 1'000 ? -1 : 1; });
  REQUIRE(all.size() == 1);
  JsonDocument document;
  CHECK(double(document.parse(all[0].evidence)["binomial_p"]) == Approx(.5).margin(1e-6));
}
