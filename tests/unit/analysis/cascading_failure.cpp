#include <catch2/catch.hpp>

#include "core/json_io.hpp"
#include "timeline.hpp"

using namespace actionhist;

namespace {

std::vector<Detection> cascades(const Timeline& timeline, const Look& look) {
  return found(PatternType::cascading_failure, timeline, look);
}

Alert alert(double minute, std::string resource, std::string name, std::string severity = "warning") {
  Alert alert;
  alert.name = alert.fingerprint = std::move(name);
  alert.severity = std::move(severity);
  alert.resource.kind = "Deployment";
  alert.resource.namespace_ = "shop";
  alert.resource.name = std::move(resource);
  alert.starts_at = at_minute(minute);
  return alert;
}

// The same app by its label, weight .9.
Alert of_app(Alert alert) {
  alert.labels = Json::object({{"app", "shop"}});
  return alert;
}

Timeline one_action() {
  Timeline timeline;
  Trace& trace = timeline.add(0, "patch_config");
  trace.alert_labels = Json::object({{"app", "shop"}});
  trace.alert_fingerprint = "cause";
  return timeline;
}

Look after(std::vector<Alert> alerts) { return {.alerts = std::move(alerts), .as_of = at_minute(40)}; }

}  // namespace

TEST_CASE("three surprising alerts of one app after an action are a cascade") {
  const Timeline timeline = one_action();
  const Look look =
      after({of_app(alert(5, "api", "A")), of_app(alert(6, "db", "B")), of_app(alert(7, "mq", "C"))});
  const auto all = cascades(timeline, look);
  REQUIRE(all.size() == 1);
  CHECK(all[0].confidence == Approx(.83).margin(.005));
  CHECK(all[0].severity == Severity::medium);
  CHECK(all[0].sub_kind == "fan-out");
  JsonDocument document;
  CHECK(double(document.parse(all[0].evidence)["binomial_p"]) == .125);
}

TEST_CASE("three alerts that only share a namespace are not enough") {
  CHECK(cascades(one_action(), after({alert(5, "api", "A"), alert(6, "db", "B"), alert(7, "mq", "C")}))
            .empty());
}

TEST_CASE("two alerts, or three on the same resource, are no cascade") {
  const Timeline timeline = one_action();
  CHECK(cascades(timeline, after({of_app(alert(5, "api", "A")), of_app(alert(6, "db", "B"))})).empty());
  CHECK(cascades(timeline, after({of_app(alert(5, "web", "A")), of_app(alert(6, "web", "B")),
                                  of_app(alert(7, "web", "C"))}))
            .empty());
}

TEST_CASE("alerts that came too late, fired before, or fire all the time are no surprise") {
  const Timeline timeline = one_action();
  const Alert a = of_app(alert(5, "api", "A"));
  const Alert b = of_app(alert(6, "db", "B"));
  CHECK(cascades(timeline, after({a, b, of_app(alert(31, "mq", "C"))})).empty());

  Alert before = of_app(alert(-10, "mq", "C"));
  CHECK(cascades(timeline, after({before, a, b, of_app(alert(7, "mq", "C"))})).empty());

  std::vector<Alert> often;
  for (int i = 1; i <= 300; ++i) often.push_back(of_app(alert(-33. * i, "mq", "C")));
  often.insert(often.end(), {a, b, of_app(alert(7, "mq", "C"))});
  const auto all = cascades(timeline, after(often));
  // The third edge is worth little; two good ones are worth .70.
  if (!all.empty()) CHECK(all[0].confidence < .78);
}

TEST_CASE("when half of the related alerts began before, it is a storm and not the action's doing") {
  const Timeline timeline = one_action();
  std::vector<Alert> alerts{of_app(alert(5, "api", "A")), of_app(alert(6, "db", "B")),
                            of_app(alert(7, "mq", "C"))};
  for (const char* name : {"X", "Y", "Z"}) alerts.push_back(of_app(alert(-3, name, name)));
  const Finding finding = find(shipped(PatternType::cascading_failure), timeline, after(alerts));
  CHECK(finding.detections.empty());
  REQUIRE(finding.not_evaluated.size() == 1);
  CHECK(finding.not_evaluated[0].find("alert-storm") != std::string::npos);
}

TEST_CASE("an action, its alert, the answer to it and the next alert are a chain") {
  Timeline timeline = one_action();
  timeline.traces[0].correlation_id = "incident";
  Trace& answer = timeline.add(10, "restart_deployment");
  Timeline::on(answer, "api");
  answer.alert_fingerprint = "A";
  answer.correlation_id = "incident";
  answer.alert_labels = Json::object({{"app", "shop"}});
  Look look = after({of_app(alert(5, "api", "A")), of_app(alert(15, "db", "B"))});
  const auto all = cascades(timeline, look);
  REQUIRE(all.size() == 1);
  CHECK(all[0].sub_kind == "chain");
  CHECK(all[0].severity == Severity::high);
  CHECK(all[0].action_ids == std::vector<std::string>{"web-1", "web-2"});
  CHECK(prevention_for(shipped(PatternType::cascading_failure), all[0], 0) == Prevention::escalate_human);

  Trace& proposed = timeline.add(20, "restart_deployment");
  Timeline::on(proposed, "db");
  proposed.alert_fingerprint = "B";
  proposed.outcome = {};
  look.candidate = true;
  REQUIRE(cascades(timeline, look).size() == 1);
  proposed.alert_fingerprint = "unrelated";
  CHECK(cascades(timeline, look).empty());
}

TEST_CASE("a new critical alert where there was none makes the cascade critical") {
  const Timeline timeline = one_action();
  std::vector<Alert> alerts{of_app(alert(5, "api", "A")), of_app(alert(6, "db", "B")),
                            of_app(alert(7, "mq", "C", "critical"))};
  CHECK(cascades(timeline, after(alerts))[0].severity == Severity::critical);
  alerts.push_back(alert(-600, "old", "D", "critical"));
  CHECK(cascades(timeline, after(alerts))[0].severity == Severity::medium);
}

TEST_CASE("a restart every three hours under different alerts is no cascade") {
  Timeline timeline;
  Look look;
  for (int i = 0; i < 8; ++i) {
    timeline.add(180 * i, "restart_pod").alert_fingerprint = std::to_string(i);
    look.alerts.push_back(alert(180 * i - 2, "web", std::to_string(i)));
  }
  CHECK(cascades(timeline, look).empty());
  for (const Pattern& pattern : default_patterns()) CHECK(find(pattern, timeline, look).detections.empty());
}

TEST_CASE("without alert events a cascade is not evaluated, and that is said") {
  const Timeline timeline = one_action();
  const Finding finding = find(shipped(PatternType::cascading_failure), timeline, {.alerts_known = false});
  CHECK(finding.not_evaluated == std::vector<std::string>{"cascading-failure: no alert events"});
  CHECK(find(shipped(PatternType::cascading_failure), timeline).not_evaluated.empty());
}
