// How well the detectors tell loops from work, on cases that others published, and how long they take.
// Usage: detectors [--data DIR] [--json]. DIR is laid out like ../shared/data; ACTIONHIST_DATA names another.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include <fmt/format.h>

#include <actionhist/actionhist.hpp>

#include "analysis/oscillation.hpp"
#include "core/json_io.hpp"
#include "data_main.hpp"
#include "report.hpp"

namespace {

using namespace actionhist;
using benchmark::Report;

struct Case {
  std::string name;
  bool positive = false;
  std::set<std::string> patterns;  // that its label names; empty if it names none
  std::vector<Trace> traces;
};

const TimePoint base = parse_time("2026-01-05T00:00:00Z");

std::string text(JsonElement object, const char* name, std::string_view fallback = {}) {
  std::string_view value;
  return std::string(object.at_key(name).get(value) == simdjson::SUCCESS ? value : fallback);
}

std::optional<double> number(JsonElement object, const char* name) {
  double value = 0;
  if (object.at_key(name).get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

bool flag(JsonElement object, const char* name, bool fallback = false) {
  bool value = fallback;
  return object.at_key(name).get(value) == simdjson::SUCCESS ? value : fallback;
}

Json json(JsonElement object, const char* name) {
  JsonElement value;
  if (object.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return {};
  return Json::parse(simdjson::to_string(value), name);
}

// Everything of a case happens in one run of one agent.
Trace make_trace(const Case& in, std::string type) {
  Trace trace;
  trace.action_id = fmt::format("{}/{}", in.name, in.traces.size());
  trace.correlation_id = in.name;
  trace.action_type = std::move(type);
  trace.action_timestamp = base + std::chrono::seconds(20) * in.traces.size();
  trace.outcome.status = Status::completed;
  return trace;
}

void read_resource(JsonElement action, Trace& trace) {
  JsonElement given;
  if (action.at_key("resource").get(given) == simdjson::SUCCESS && given.is_object()) {
    trace.resource.kind = text(given, "kind");
    trace.resource.name = text(given, "name");
    trace.resource.namespace_ = text(given, "namespace");
    trace.resource.cluster = text(given, "cluster");
  }
  trace.resource.namespace_ = text(action, "namespace", trace.resource.namespace_);
  trace.resource_id = resource_id("benchmark", trace.resource);
}

Case read_issue(JsonElement row) {
  Case in{text(row, "case"), flag(row, "is_oscillation"), {}, {}};
  for (JsonElement pattern : simdjson::dom::array(row["label_patterns"])) {
    in.patterns.emplace(std::string_view(pattern));
  }
  for (JsonElement action : simdjson::dom::array(row["actions"])) {
    Trace trace = make_trace(in, text(action, "action_type"));
    if (const auto seconds = number(action, "t")) {
      trace.action_timestamp = base + std::chrono::microseconds(static_cast<std::int64_t>(*seconds * 1e6));
    }
    read_resource(action, trace);
    trace.action_parameters = json(action, "params");
    trace.resource_state_before = json(action, "before");
    trace.outcome.resource_state_after = json(action, "after");
    trace.outcome.result_hash = text(action, "obs");
    trace.outcome.effectiveness_score = number(action, "effectiveness");
    trace.outcome.status = parse_status(text(action, "status", "completed"));
    trace.correlation_id = text(action, "correlation_id", trace.correlation_id);
    trace.session_id = text(action, "session_id");
    trace.actor = text(action, "actor");
    trace.alert_name = text(action, "alert");
    trace.alert_fingerprint = text(action, "alert_fingerprint", trace.alert_name);
    trace.pre_spec_hash = text(action, "pre_hash", text(action, "pre_spec_hash"));
    trace.outcome.post_spec_hash = text(action, "post_hash", text(action, "post_spec_hash"));
    in.traces.push_back(std::move(trace));
  }
  return in;
}

// An action event becomes a trace and the observation that follows its result. An error observation says
// that the call gave no result. A message returns nothing, and that is known. What the runtime does without
// being asked (condensing the context) is an event of its own. What a user says is no act of the agent; it
// starts anew only where a user can answer, that is not in headless mode.
Case read_openhands(JsonElement row) {
  Case in{text(row, "case"), flag(row, "label_stuck"), {}, {}};
  const bool headless = flag(row, "headless", true);
  bool answered = true;
  for (JsonElement event : simdjson::dom::array(row["events"])) {
    const std::string kind = text(event, "kind");
    const std::string key = text(event, "key");
    const bool is_action = flag(event, "is_action");
    if (is_action && text(event, "src") == "user") {
      if (!headless) in.traces.clear();
      answered = true;
    } else if (!is_action && !answered) {
      Outcome& outcome = in.traces.back().outcome;
      const bool no_result = kind == "ErrorObservation";
      outcome.result_hash = no_result ? "" : key;
      outcome.status = flag(event, "error") ? Status::failed : Status::completed;
      if (no_result) outcome.execution_error = text(event, "preview");
      answered = true;
    } else if (is_action || kind != "NullObservation") {
      Trace trace = make_trace(in, kind);
      trace.action_parameters = Json::object({{"key", key}});
      if (kind == "MessageAction") trace.outcome.result_hash = "nothing";
      in.traces.push_back(std::move(trace));
      answered = !is_action;
    }
  }
  return in;
}

Case read_gemini(JsonElement row) {
  Case in{text(row, "case"), flag(row, "label_loop"), {}, {}};
  for (JsonElement action : simdjson::dom::array(row["actions"])) {
    Trace trace = make_trace(in, text(action, "tool"));
    trace.action_parameters = json(action, "args");
    trace.outcome.result_hash = text(action, "result");
    in.traces.push_back(std::move(trace));
  }
  return in;
}

// Calls read(row) for each line of a file; a file that is not there has none.
template <class Reader>
void read_lines(const std::string& path, Reader read) {
  std::ifstream file(path);
  if (!file) fmt::print(stderr, "detectors: {} is not there, it is skipped\n", path);
  JsonDocument document;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) read(document.parse(line, path));
  }
}

std::vector<Case> read_cases(const std::string& path, Case (*read)(JsonElement)) {
  std::vector<Case> cases;
  read_lines(path, [&](JsonElement row) { cases.push_back(read(row)); });
  return cases;
}

// The patterns found in one scope, as of its last action.
void detect_in(std::span<const Trace> traces, std::string scope, std::set<std::string>& found) {
  if (traces.empty()) return;
  static const std::vector<Pattern> patterns = default_patterns();
  const Evidence evidence{traces, {}, false, nullptr, std::move(scope)};
  for (const Pattern& pattern : patterns) {
    if (!detect(pattern, evidence, traces.back().time()).detections.empty()) {
      found.emplace(to_string(pattern.pattern_type));
    }
  }
}

std::set<std::string> patterns_in(const Case& in) {
  std::set<std::string> found;
  std::set<std::string> scopes;
  for (const Trace& trace : in.traces) {
    scopes.insert("resource:" + trace.resource_id);
    scopes.insert("correlation:" + trace.correlation_id);
  }
  for (const std::string& scope : scopes) {
    if (scope == "resource:" || scope == "correlation:") continue;
    std::vector<Trace> traces;
    std::ranges::copy_if(in.traces, std::back_inserter(traces), [&](const Trace& trace) {
      return scope == "resource:" + trace.resource_id || scope == "correlation:" + trace.correlation_id;
    });
    detect_in(traces, scope, found);
  }
  return found;
}

struct Score {
  int hits = 0;
  int false_alarms = 0;
  int misses = 0;

  void count(bool wanted, bool found) {
    hits += wanted && found;
    false_alarms += !wanted && found;
    misses += wanted && !found;
  }

  void report(Report& out, const std::string& name) const {
    const auto ratio = [](int part, int all) { return all == 0 ? 1. : static_cast<double>(part) / all; };
    out.add(name, "precision", ratio(hits, hits + false_alarms), "ratio");
    out.add(name, "recall", ratio(hits, hits + misses), "ratio");
    out.add(name, "f1", ratio(2 * hits, 2 * hits + false_alarms + misses), "ratio");
    out.add(name, "false_positives", false_alarms, "cases");
    out.add(name, "false_negatives", misses, "cases");
  }
};

void score_set(Report& out, const std::string& name, const std::vector<Case>& cases) {
  if (cases.empty()) return;
  Score any;
  std::map<std::string, Score> by_pattern;
  bool labelled = false;
  for (const Case& in : cases) {
    const std::set<std::string> found = patterns_in(in);
    any.count(in.positive, !found.empty());
    if (in.positive == found.empty()) {
      fmt::print(stderr, "detectors: {}: \"{}\" is {}\n", name, in.name, in.positive ? "missed" : "no loop");
    }
    labelled |= !in.patterns.empty();
    for (const Pattern& pattern : default_patterns()) {
      const std::string type(to_string(pattern.pattern_type));
      by_pattern[type].count(in.patterns.count(type) > 0, found.count(type) > 0);
    }
  }
  out.add(name, "cases", static_cast<double>(cases.size()), "cases");
  any.report(out, name);
  if (!labelled) return;
  for (const auto& [type, score] : by_pattern) {
    if (score.hits + score.false_alarms + score.misses > 0) score.report(out, name + "/" + type);
  }
}

// An action of the real agent that others let run on their clusters, as it was ingested.
Trace read_ingested(JsonElement row) {
  Trace trace;
  trace.action_id = text(row, "action_id");
  trace.correlation_id = text(row, "correlation_id");
  trace.action_type = text(row, "action_type");
  trace.action_timestamp = parse_time(text(row, "action_timestamp"));
  JsonElement resource;
  if (row.at_key("resource_reference").get(resource) == simdjson::SUCCESS && resource.is_object()) {
    trace.resource.kind = text(resource, "kind");
    trace.resource.name = text(resource, "name");
    trace.resource.namespace_ = text(resource, "namespace");
  }
  trace.resource_id = resource_id("benchmark", normalized(trace.resource));
  trace.effect = text(row, "record_kind") == "remediation" ? Effect::mutating : Effect::read_only;
  trace.alert_name = text(row, "alert_name");
  trace.alert_fingerprint = trace.alert_name.empty() ? "" : trace.alert_name + trace.resource_id;
  trace.action_parameters = json(row, "action_parameters");
  trace.outcome.status = parse_status(text(row, "execution_status", "completed"));
  trace.outcome.result_hash = text(row, "observation_hash");
  trace.outcome.effectiveness_score = number(row, "effectiveness_score");
  return trace;
}

// A tool call of an episode that ended well; each episode is a world of its own.
Trace read_tool_call(JsonElement row) {
  Trace trace;
  trace.correlation_id = text(row, "episode");
  const double position = number(row, "seq").value_or(0);
  trace.action_id = fmt::format("{}/{}", trace.correlation_id, position);
  trace.action_type = text(row, "action_type");
  trace.action_timestamp = base + std::chrono::seconds(30) * static_cast<int>(position);
  JsonElement resource;
  if (row.at_key("resource").get(resource) == simdjson::SUCCESS && resource.is_object()) {
    trace.resource.cluster = trace.correlation_id;
    trace.resource.kind = text(resource, "kind");
    trace.resource.name = text(resource, "name");
  }
  trace.resource_id = resource_id("benchmark", trace.resource);
  trace.effect = flag(row, "mutating") ? Effect::mutating : Effect::read_only;
  trace.action_parameters = json(row, "action_parameters");
  trace.outcome.status = Status::completed;
  trace.outcome.result_hash = text(row, "obs_hash");
  return trace;
}

// Proposes each action of a history without loops after all that was before it in its scopes, and counts those
// that the guard would refuse.
void score_clean(Report& out, const std::string& name, std::vector<Trace> actions) {
  if (actions.empty()) return;
  std::ranges::stable_sort(actions, {}, &Trace::time);
  const std::vector<Pattern> patterns = default_patterns();
  std::map<std::string, std::vector<Trace>> scopes;
  int refused = 0;
  for (const Trace& action : actions) {
    std::set<std::string> reasons;
    for (const std::string& scope :
         {"resource:" + action.resource_id, "correlation:" + action.correlation_id}) {
      if (scope.ends_with(':')) continue;
      std::vector<Trace>& traces = scopes[scope];
      traces.push_back(action);
      traces.back().outcome = {};
      const Evidence evidence{
          std::span<const Trace>(traces).first(traces.size() - 1), {}, false, &traces.back(), scope};
      for (const Pattern& pattern : patterns) {
        for (const Detection& found : detect(pattern, evidence, action.time()).detections) {
          if (prevents(pattern, found))
            reasons.insert(fmt::format("{} ({})", to_string(pattern.pattern_type), found.sub_kind));
        }
      }
      traces.back() = action;
    }
    if (reasons.empty()) continue;
    ++refused;
    fmt::print(stderr, "detectors: {}: {} \"{}\" would be refused: {}\n", name, action.action_type,
               action.action_id, fmt::join(reasons, ", "));
  }
  const auto all = static_cast<double>(actions.size());
  out.add(name, "actions", all, "actions");
  out.add(name, "false_alarms_per_1000", 1000 * refused / all, "actions");
}

void score_ingested(Report& out, const std::string& path) {
  std::vector<Trace> actions;
  read_lines(path, [&](JsonElement row) { actions.push_back(read_ingested(row)); });
  score_clean(out, "ingest_records", std::move(actions));
}

void score_tool_calls(Report& out, const std::string& path) {
  std::vector<Trace> actions;
  read_lines(path, [&](JsonElement row) {
    if (number(row, "episode_score") == 1.) actions.push_back(read_tool_call(row));
  });
  score_clean(out, "taubench_airline", std::move(actions));
}

// Autoscalers under real load, by how eager their rule is: the share of two-hour windows with a pattern.
void score_autoscalers(Report& out, const std::string& path) {
  std::map<std::string, std::map<std::string, std::vector<Trace>>> controllers;
  read_lines(path, [&](JsonElement row) {
    const std::string series = text(row, "s");
    std::vector<Trace>& traces = controllers[text(row, "g")][series];
    Trace& trace = traces.emplace_back();
    std::string time = text(row, "ts");
    trace.action_id = std::to_string(traces.size());
    trace.action_timestamp = parse_time(time + (time.ends_with('Z') ? "" : "Z"));
    trace.action_type = "scale_deployment";
    trace.effect = Effect::mutating;
    trace.resource_id = series;
    trace.outcome.status = Status::completed;
    trace.resource_state_before = Json::object({{"replicas", json(row, "b")}});
    trace.outcome.resource_state_after = Json::object({{"replicas", json(row, "a")}});
  });
  constexpr std::chrono::hours two_hours{2};
  for (auto& [controller, series] : controllers) {
    int windows = 0;
    int flagged = 0;
    for (auto& [name, traces] : series) {
      std::ranges::stable_sort(traces, {}, &Trace::time);
      auto first = traces.begin();
      for (TimePoint end = traces.front().time() + two_hours; first != traces.end(); end += two_hours) {
        const auto last =
            std::find_if(first, traces.end(), [&](const Trace& trace) { return trace.time() > end; });
        std::set<std::string> found;
        detect_in({first, last}, "resource:" + name, found);
        flagged += !found.empty();
        ++windows;
        first = last;
      }
    }
    out.add("autoscalers/" + controller, "flagged_windows", static_cast<double>(flagged) / windows, "ratio");
  }
}

// What a guard pays: all patterns over the recent actions of a busy resource, with a proposal at the end.
void time_guard(Report& out) {
  Case in{"guard", false, {}, {}};
  constexpr std::string_view types[] = {"scale_deployment", "update_resources", "patch_config",
                                        "rotate_secret"};
  for (int i = 0; i < 50; ++i) {
    // Squares modulo 11 make no short cycle.
    Trace trace = make_trace(in, std::string(types[i * i % 11 % 4]));
    trace.action_timestamp = base + std::chrono::minutes(2) * i;
    trace.resource = {"prod", "apps", "apps/v1", "Deployment", "shop", "web", ""};
    trace.resource_id = resource_id("benchmark", trace.resource);
    trace.effect = Effect::mutating;
    trace.alert_name = "HighLatency";
    trace.alert_fingerprint = "9f8e";
    trace.alert_firing_time = base;
    trace.action_parameters =
        Json::object({{"replicas", 3 + i}, {"memory", fmt::format("{}Mi", 512 + 64 * i)}});
    trace.resource_state_before = Json::object({{"replicas", 2 + i}, {"image", "web:1"}});
    trace.outcome.resource_state_after = Json::object({{"replicas", 3 + i}, {"image", "web:1"}});
    trace.outcome.effectiveness_score = .8;
    in.traces.push_back(std::move(trace));
  }
  in.traces.back().outcome = {};
  const std::vector<Pattern> patterns = default_patterns();
  const auto past = std::span<const Trace>(in.traces).first(in.traces.size() - 1);
  std::vector<double> runs;
  std::size_t found = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const Evidence evidence{past, {}, true, &in.traces.back(), "resource:web"};
    Scene scene(evidence, in.traces.back().time());
    for (const Pattern& pattern : patterns) found += detect(pattern, scene).detections.size();
    runs.push_back(
        std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::ranges::sort(runs);
  out.add("guard", "all_patterns_50_traces_p50", runs[runs.size() / 2], "us");
  out.add("guard", "all_patterns_50_traces_p99", runs[runs.size() * 99 / 100], "us");
  if (found != 0) fmt::print(stderr, "detectors: the ramp of the guard's case was flagged\n");
}

void run(const std::string& data, bool as_json) {
  Report out("detectors", as_json);
  score_set(out, "issue_cases", read_cases(data + "/loops/issue_cases.jsonl", read_issue));
  score_set(out, "openhands_stuck", read_cases(data + "/loops/openhands_stuck_cases.jsonl", read_openhands));
  score_set(out, "gemini_loops", read_cases(data + "/loops/gemini_loop_cases.jsonl", read_gemini));
  score_ingested(out, data + "/actions/ingest_records.jsonl");
  score_tool_calls(out, data + "/actions/taubench_airline_actions.jsonl");
  score_autoscalers(out, data + "/actions/hpa_nab_scale_actions.jsonl");
  time_guard(out);
}

}  // namespace

int main(int argc, char** argv) { return benchmark::data_main("detectors", argc, argv, run); }
