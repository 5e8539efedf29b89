// What a detection leads to, and for how long.
#include <algorithm>
#include <cmath>

#include "analysis/fingerprint.hpp"
#include "analysis/leaves.hpp"
#include "analysis/oscillation.hpp"
#include "analysis/thresholds.hpp"
#include "analysis/verbs.hpp"
#include "core/json_io.hpp"

namespace actionhist {
namespace {

// Reads one member of a detection's evidence.
class EvidenceReader {
 public:
  explicit EvidenceReader(const Detection& detection) {
    if (!detection.evidence.absent()) root_ = document_.parse(detection.evidence);
  }

  double number(const char* name) const {
    double value = 0;
    return root_ && root_->at_key(name).get(value) == simdjson::SUCCESS ? value : 0;
  }

  std::string_view text(const char* name) const {
    std::string_view value;
    return root_ && root_->at_key(name).get(value) == simdjson::SUCCESS ? value : std::string_view();
  }

  // True if the member is an array that holds `text`.
  bool holds(const char* name, std::string_view text) const {
    simdjson::dom::array items;
    if (!root_ || root_->at_key(name).get(items) != simdjson::SUCCESS) return false;
    return std::any_of(items.begin(), items.end(), [&](JsonElement item) {
      std::string_view value;
      return item.get(value) == simdjson::SUCCESS && value == text;
    });
  }

 private:
  JsonDocument document_;
  std::optional<JsonElement> root_;
};

std::chrono::microseconds twice_median(const Detection& detection) {
  const double seconds = EvidenceReader(detection).number("median_interval_seconds");
  return std::chrono::microseconds(std::llround(2e6 * seconds));
}

std::optional<std::chrono::microseconds> own_cooling_period(const Pattern& pattern) {
  if (pattern.prevention_parameters.absent()) return std::nullopt;
  JsonDocument document;
  double count = 0;
  const JsonElement parameters = document.parse(pattern.prevention_parameters);
  if (parameters.at_key("cooling_period_minutes").get(count) != simdjson::SUCCESS) return std::nullopt;
  return minutes(count);
}

// True if the parameters of a proposal set the dimension of this name.
bool sets(const Trace& trace, std::string_view name) {
  const Dimension dimension = dimension_at(name);
  const auto parameters = read_leaves(trace.action_parameters);
  return find(parameters->numbers, dimension) != nullptr || find(parameters->texts, dimension) != nullptr;
}

bool sets_a_count(const Trace& trace) {
  return std::ranges::any_of(read_leaves(trace.action_parameters)->numbers,
                             [](const Leaf<double>& leaf) { return leaf.dimension->scale; });
}

}  // namespace

std::chrono::microseconds clear_after(const Detection& detection) {
  return std::max<std::chrono::microseconds>(std::chrono::minutes(30), twice_median(detection));
}

std::chrono::microseconds cooling_period(const Pattern& pattern, const Detection& detection,
                                         int detections_in_24h) {
  const auto own = own_cooling_period(pattern);
  const auto base =
      own.value_or(std::max<std::chrono::microseconds>(std::chrono::minutes(5), twice_median(detection)));
  const auto longest =
      std::max<std::chrono::microseconds>(std::chrono::minutes(60), own.value_or(std::chrono::minutes(0)));
  // Five minutes doubled four times exceed the hour already.
  const int doublings = std::clamp(detections_in_24h - 1, 0, 4);
  return std::min(longest, base * (1 << doublings));
}

Prevention prevention_for(const Pattern& pattern, const Detection& detection,
                          int earlier_detections_in_force_window) {
  const PatternType type = detection.pattern_type;
  const bool again = type == PatternType::ineffective_loop && earlier_detections_in_force_window >= 1;
  const bool spreads = type == PatternType::cascading_failure && detection.severity >= Severity::high;
  // A pause does not end a fight: both controllers go on after it.
  if (detection.sub_kind == "controller-conflict" || again || spreads) return Prevention::escalate_human;
  return pattern.prevention_strategy;
}

int precedence(Prevention prevention) noexcept {
  switch (prevention) {
    case Prevention::block_action: return 0;
    case Prevention::escalate_human: return 1;
    case Prevention::cooling_period: return 2;
    case Prevention::alternative_action: return 3;
  }
  return 4;
}

bool repeats(const Detection& detection, const Trace& proposed) {
  const EvidenceReader evidence(detection);
  if (detection.sub_kind == "exact-cycle") return evidence.holds("keys", canonical_key(proposed));
  const auto& resources = detection.resources;
  if (detection.sub_kind == "action-sequence") {
    const bool here =
        resources.empty() || std::ranges::find(resources, proposed.resource_id) != resources.end();
    return here && evidence.text("completed_by") == plain_type(proposed.action_type);
  }
  if (std::ranges::find(resources, proposed.resource_id) == resources.end()) return false;
  const bool mutating = proposed.effect.value_or(effect_of(proposed.action_type)) == Effect::mutating;
  if (!mutating) return false;
  switch (detection.pattern_type) {
    case PatternType::scale_oscillation:
      if (sets_a_count(proposed)) return sets(proposed, evidence.text("dimension"));
      return family(proposed.action_type) == "scale";
    case PatternType::resource_thrashing: {
      const std::string_view setting = evidence.text("setting");
      if (!setting.empty() && sets(proposed, setting)) return true;
      if (detection.sub_kind == "disruption-budget") return disruptive(proposed.action_type);
      return evidence.holds("types", plain_type(proposed.action_type));
    }
    case PatternType::ineffective_loop:
      return detection.sub_kind == "safety-net" || evidence.holds("types", plain_type(proposed.action_type));
    case PatternType::cascading_failure: return true;
    case PatternType::action_budget: return evidence.holds("types", plain_type(proposed.action_type));
  }
  return false;
}

}  // namespace actionhist
