#include "analysis/oscillation.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "analysis/detectors.hpp"

namespace actionhist {
namespace {

// True if each member of `selector` is a member of `labels` with the same value.
bool selects(const Json& selector, const Json& labels) {
  if (labels.absent()) return selector.absent() || selector.text() == "{}";
  JsonDocument selector_document;
  JsonDocument labels_document;
  const JsonElement known = labels_document.parse(labels);
  for (auto [key, value] : simdjson::dom::object(selector_document.parse(selector))) {
    JsonElement label;
    if (known.at_key(key).get(label) != simdjson::SUCCESS) return false;
    if (simdjson::to_string(label) != simdjson::to_string(value)) return false;
  }
  return true;
}

void write_coverage(JsonWriter& writer, const Steps& steps) {
  const auto assessed =
      std::ranges::count_if(steps, [](const Step* step) { return step->score.has_value(); });
  writer.key("coverage").begin_object();
  writer.member("assessed", static_cast<std::int64_t>(assessed)).member("of", steps.size());
  writer.end_object();
}

void write_types(JsonWriter& writer, const Steps& steps) {
  std::vector<std::string_view> types;
  for (const Step* step : steps) types.push_back(step->type->plain);
  std::ranges::sort(types);
  types.erase(std::unique(types.begin(), types.end()), types.end());
  writer.key("types").begin_array();
  for (const std::string_view type : types) writer.value(type);
  writer.end_array();
}

// So that .9 − .7 is a drop of .2.
constexpr double tolerance = 1e-9;

// From the first known confidence of the model to the last; empty for fewer than two.
std::optional<double> confidence_drop(const Steps& steps) {
  std::optional<double> first;
  std::optional<double> last;
  int known = 0;
  for (const Step* step : steps) {
    if (!step->trace->model_confidence) continue;
    if (!first) first = step->trace->model_confidence;
    last = step->trace->model_confidence;
    ++known;
  }
  if (known < 2) return std::nullopt;
  return *first - *last;
}

double rounded(double value) { return std::round(value * 1e9) / 1e9; }

}  // namespace

bool in_scope(const Pattern& pattern, const Action& action) {
  if (!pattern.active) return false;
  const Resource& resource = action.resource;
  const auto is_kind = [&](const std::string& kind) { return names_kind(kind, resource); };
  if (!pattern.resource_types.empty() && std::ranges::none_of(pattern.resource_types, is_kind)) return false;
  const auto& namespaces = pattern.namespaces;
  if (!namespaces.empty() && std::ranges::find(namespaces, resource.namespace_) == namespaces.end())
    return false;
  return pattern.label_selectors.absent() || selects(pattern.label_selectors, action.alert_labels);
}

Finding detect(const Pattern& pattern, const Evidence& evidence, TimePoint as_of,
               std::optional<std::chrono::minutes> window) {
  Scene scene(evidence, as_of);
  return detect(pattern, scene, window);
}

Finding detect(const Pattern& pattern, Scene& scene, std::optional<std::chrono::minutes> window_length) {
  Finding finding;
  const Evidence& evidence = scene.evidence();
  if (!pattern.active || (evidence.past.empty() && !evidence.candidate)) return finding;
  const Window window(pattern, scene, window_length.value_or(pattern.time_window));
  if (evidence.candidate && window.candidate() == nullptr) return finding;
  const Thresholds thresholds = thresholds_of(pattern);
  if (!pattern.action_sequence.empty()) {
    find_action_sequence(window, thresholds, finding);
    return finding;
  }
  switch (pattern.pattern_type) {
    case PatternType::scale_oscillation: find_scale_oscillation(window, thresholds, finding); break;
    case PatternType::resource_thrashing: find_resource_thrashing(window, thresholds, finding); break;
    case PatternType::ineffective_loop: find_ineffective_loop(window, thresholds, finding); break;
    case PatternType::cascading_failure: find_cascading_failure(window, thresholds, finding); break;
    case PatternType::action_budget: find_action_budget(window, thresholds, finding); break;
  }
  std::ranges::stable_sort(finding.detections, std::greater<>(), &Detection::confidence);
  return finding;
}

bool prevents(const Pattern& pattern, const Detection& detection) {
  return detection.confidence >= thresholds_of(pattern).min_confidence;
}

bool answers(const Window& window, const Match& match) {
  const Step* const candidate = window.candidate();
  return candidate == nullptr || std::ranges::find(match.steps, candidate) != match.steps.end();
}

void keep_stronger(const Window& window, std::optional<Match>& best, std::optional<Match> other) {
  if (!other || !answers(window, *other)) return;
  if (!best || other->confidence > best->confidence) best = std::move(other);
}

void report(const Window& window, const Thresholds& thresholds, Match match, Finding& finding) {
  if (!answers(window, match)) return;
  if (thresholds.confidence_drop > 0) {
    const auto drop = confidence_drop(match.steps);
    if (!drop) return not_evaluated(window, "no model confidence to see a drop in", finding);
    if (*drop < thresholds.confidence_drop - tolerance) return;
    match.facts.member("model_confidence_drop", rounded(*drop));
  }
  Detection detection;
  detection.pattern_id = window.pattern().pattern_id;
  detection.pattern_type = window.pattern().pattern_type;
  detection.scope = window.evidence().scope;
  for (const Step* step : match.steps) {
    detection.action_ids.push_back(step->trace->action_id);
    const std::string& id = step->trace->resource_id;
    auto& ids = detection.resources;
    if (!id.empty() && std::ranges::find(ids, id) == ids.end()) ids.push_back(id);
  }
  // Rounded, so that a confidence that is .5 on paper passes a threshold of .5.
  detection.confidence = rounded(std::clamp(match.confidence, 0., 1.));
  detection.severity = match.severity;
  detection.sub_kind = match.sub_kind;
  detection.as_of = window.as_of();
  detection.first_at = match.steps.front()->at;
  detection.last_at = match.steps.back()->at;

  JsonWriter& facts = match.facts;
  facts.member("window_minutes", static_cast<double>(window.length().count()) / 60e6);
  facts.member("median_interval_seconds", median_interval_seconds(match.steps));
  if (const auto mean = mean_score(match.steps)) facts.member("mean_effectiveness", rounded(*mean));
  write_types(facts, match.steps);
  write_coverage(facts, match.steps);
  write_thresholds(facts.key("parameters"), window.pattern(), thresholds);
  detection.evidence = Json::parse(facts.end_object().take(), "evidence");
  finding.detections.push_back(std::move(detection));
}

void not_evaluated(const Window& window, std::string_view reason, Finding& finding) {
  std::string text = fmt::format("{}: {}", to_string(window.pattern().pattern_type), reason);
  auto& all = finding.not_evaluated;
  if (std::ranges::find(all, text) == all.end()) all.push_back(std::move(text));
}

std::optional<double> mean_score(const Steps& steps) {
  double sum = 0;
  int count = 0;
  for (const Step* step : steps) {
    if (!step->score) continue;
    sum += *step->score;
    ++count;
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

double median_interval_seconds(const Steps& steps) {
  std::vector<double> intervals;
  for (std::size_t i = 1; i < steps.size(); ++i) {
    intervals.push_back(static_cast<double>((steps[i]->at - steps[i - 1]->at).count()) / 1e6);
  }
  if (intervals.empty()) return 0;
  std::ranges::sort(intervals);
  const std::size_t middle = intervals.size() / 2;
  return intervals.size() % 2 == 1 ? intervals[middle] : (intervals[middle - 1] + intervals[middle]) / 2;
}

bool actors_alternate(const Steps& steps) {
  if (steps.size() < 3) return false;
  const auto actor = [&](std::size_t i) -> const std::string& { return steps[i]->trace->actor; };
  if (actor(0).empty() || actor(1).empty() || actor(0) == actor(1)) return false;
  for (std::size_t i = 2; i < steps.size(); ++i) {
    if (actor(i) != actor(i - 2)) return false;
  }
  return true;
}

std::string_view alert_key(const Trace& trace) {
  return trace.alert_fingerprint.empty() ? trace.alert_name : trace.alert_fingerprint;
}

}  // namespace actionhist
