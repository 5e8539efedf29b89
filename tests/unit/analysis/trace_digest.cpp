// What was read of an action once says the same as reading all of them anew, and as what an engine reads of them:
// random histories of several agents, judged action by action as they grow, with every kind of pattern.
#include <algorithm>
#include <random>

#include <catch2/catch.hpp>

#include "core/trace_fields.hpp"
#include "support/effort.hpp"
#include "timeline.hpp"

using namespace actionhist;

namespace {

constexpr int decisions = 40;  // of a history

// Random choices, and nothing that a standard library may do in its own way.
class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}

  int below(int bound) { return static_cast<int>(random_() % static_cast<unsigned>(bound)); }
  bool one_in(int times) { return below(times) == 0; }

 private:
  std::mt19937 random_;
};

std::vector<Pattern> patterns() {
  std::vector<Pattern> all = default_patterns();
  for (Pattern& pattern : all) pattern.active = true;
  Pattern narrow = all.front();
  narrow.pattern_id = "narrow";
  narrow.namespaces = {"shop"};
  narrow.resource_types = {"deployment"};
  narrow.threshold_config = Json::object({{"return_ratio", .2}, {"confidence_drop", .05}});
  all.push_back(narrow);
  Pattern sequence = all.front();
  sequence.pattern_id = "sequence";
  sequence.action_sequence = {"restart_deployment", "scale_deployment"};
  sequence.label_selectors = Json::object({{"team", "a"}});
  all.push_back(sequence);
  return all;
}

Json state(Dice& dice, int replicas) {
  if (dice.one_in(6)) return {};
  const char* const image = dice.one_in(2) ? "web:1" : "web:2";
  if (dice.one_in(4))
    return Json::object({{"image", image}, {"spec", Json::object({{"replicas", replicas}})}});
  return Json::object({{"currentReplicas", replicas}, {"image", image}, {"ready_replicas", dice.below(3)}});
}

Json parameters(Dice& dice, int replicas) {
  switch (dice.below(6)) {
    case 0: return Json::object({{"replicas", replicas}});
    case 1: return Json::object({{"delta", dice.below(5) - 2}, {"request_id", dice.below(1000)}});
    case 2: return Json::object({{"memory", dice.one_in(2) ? "512Mi" : "1Gi"}, {"dry_run", false}});
    case 3: return Json::object({{"count", replicas}, {"timeout", 30}});
    case 4: return Json::object({{"cpu", dice.one_in(2) ? "500m" : ".5"}, {"image", "web:2"}});
    default: return {};
  }
}

// The next proposal of one of two agents for one of three resources, one of which has no id.
Trace proposal(Dice& dice, int number, double minute) {
  constexpr const char* types[] = {"scale_deployment", "restart_deployment", "update_resources",
                                   "scale_up",         "get_pod_logs",       "ScaleDown"};
  Trace trace;
  trace.action_id = fmt::format("a{}", number);
  trace.action_timestamp = at_minute(minute);
  trace.action_type = types[dice.below(6)];
  Timeline::on(trace, dice.one_in(3) ? "api" : "web");
  if (dice.one_in(8)) trace.resource_id.clear();
  if (dice.one_in(8)) trace.resource.namespace_ = "bank";
  trace.correlation_id = "run";
  trace.actor = dice.one_in(2) ? "hpa" : "agent";
  if (!dice.one_in(4)) {
    trace.alert_name = "HighLatency";
    trace.alert_fingerprint = dice.one_in(4) ? "f2" : "f1";
    trace.alert_labels = Json::object({{"app", "web"}, {"team", dice.one_in(2) ? "a" : "b"}});
    if (dice.one_in(2)) trace.alert_firing_time = at_minute(minute - dice.below(20));
  }
  if (dice.one_in(3)) trace.model_confidence = .1 * dice.below(10);
  const int replicas = 2 + dice.below(3);
  trace.resource_state_before = state(dice, replicas);
  trace.action_parameters = parameters(dice, 2 + dice.below(3));
  if (dice.one_in(3)) trace.pre_spec_hash = std::to_string(dice.below(3));
  return trace;
}

// It ends, at once or a little later; what is told of it differs.
void end(Dice& dice, Trace& trace, double minute) {
  constexpr Status ends[] = {Status::completed, Status::completed,   Status::completed, Status::failed,
                             Status::cancelled, Status::rolled_back, Status::escalated};
  Outcome& outcome = trace.outcome;
  outcome.status = ends[dice.below(7)];
  if (dice.one_in(2)) outcome.execution_start_time = trace.action_timestamp;
  if (dice.one_in(2)) outcome.execution_end_time = at_minute(minute + dice.below(4));
  outcome.resource_state_after = state(dice, 2 + dice.below(3));
  if (dice.one_in(3)) outcome.post_spec_hash = std::to_string(dice.below(3));
  if (dice.one_in(2)) outcome.result_hash = std::to_string(dice.below(2));
  if (dice.one_in(2)) outcome.effectiveness_score = .1 * dice.below(11);
  if (dice.one_in(3)) outcome.effectiveness_assessed_at = at_minute(minute + dice.below(30));
  if (dice.one_in(5)) outcome.effectiveness_criteria = Json::object({{"spec_drift", dice.one_in(2)}});
  if (dice.one_in(5)) outcome.effectiveness_criteria = Json::object({{"alert_resolved", dice.one_in(2)}});
}

std::vector<Alert> alerts(Dice& dice, double until) {
  std::vector<Alert> all;
  for (double minute = dice.below(30); minute < until; minute += 1 + dice.below(30)) {
    Alert& alert = all.emplace_back();
    alert.name = alert.fingerprint = dice.one_in(2) ? "f1" : fmt::format("f{}", dice.below(6));
    alert.severity = dice.one_in(3) ? "critical" : "warning";
    alert.resource = {.kind = "Deployment", .namespace_ = "shop", .name = dice.one_in(2) ? "web" : "db"};
    alert.labels = Json::object({{"app", "web"}});
    alert.starts_at = at_minute(minute);
    if (dice.one_in(3)) alert.ends_at = at_minute(minute + dice.below(10));
  }
  return all;
}

// What an engine has to read of an action for a decision, and noise in the rest.
Trace judged_part(Dice& dice, const Trace& trace) {
  Trace part = trace;
  visit_columns(part, [&](std::string_view column, auto& member) {
    using Member = std::remove_cvref_t<decltype(member)>;
    if (judged(column)) return;
    if constexpr (std::is_same_v<Member, std::string>) {
      member = fmt::format("noise {}", dice.below(3));
    } else if constexpr (std::is_same_v<Member, Json>) {
      member = Json::array({dice.below(3)});
    } else if constexpr (std::is_same_v<Member, std::optional<TimePoint>>) {
      member = at_minute(dice.below(1000));
    }
  });
  return part;
}

std::vector<std::string> told(const Finding& finding) {
  std::vector<std::string> all = finding.not_evaluated;
  for (const Detection& detection : finding.detections) all.push_back(to_json(detection));
  return all;
}

}  // namespace

TEST_CASE("an action that was read once is judged as one that is read for each pattern and decision") {
  const std::vector<Pattern> all = patterns();
  std::size_t found = 0;
  for (int history = 0; history < test::effort(60); ++history) {
    Dice dice(static_cast<unsigned>(history));
    const double pace = 1 + dice.below(12);
    const std::vector<Alert> fired = alerts(dice, pace * decisions);
    std::vector<RecentTrace> remembered;
    for (int i = 0; i < decisions; ++i) {
      const double minute = pace * i;
      INFO("history " << history << ", decision " << i);
      const Trace proposed = proposal(dice, i, minute);
      const auto until = std::ranges::upper_bound(fired, at_minute(minute), {}, &Alert::starts_at);
      const std::span<const Alert> seen(fired.begin(), until);
      for (const Trace* candidate : {&proposed, static_cast<const Trace*>(nullptr)}) {
        const Evidence once{std::span(std::as_const(remembered)), seen, true, candidate, "correlation:run"};
        Scene scene(once, at_minute(minute));
        std::vector<Trace> rows;
        for (const RecentTrace& trace : remembered) rows.push_back(judged_part(dice, *trace));
        for (const Pattern& pattern : all) {
          const Evidence anew{rows, seen, true, candidate, "correlation:run"};
          const auto expected = told(detect(pattern, anew, at_minute(minute)));
          CHECK(told(detect(pattern, scene)) == expected);
          found += expected.size();
        }
      }
      remembered.emplace_back(proposed);
      if (dice.one_in(3)) continue;
      // A new outcome is another row in the place of the old one.
      RecentTrace& chosen =
          remembered[remembered.size() - 1 - static_cast<std::size_t>(dice.below(std::min(i + 1, 4)))];
      Trace changed = *chosen;
      end(dice, changed, minute);
      chosen = RecentTrace(changed);
    }
  }
  CHECK(found > 1000);
}
