#include "analysis/thresholds.hpp"

#include <algorithm>
#include <array>

#include "core/json_fields.hpp"

namespace actionhist {
namespace {

struct Key {
  PatternType type;
  std::string_view name;
  double Thresholds::*member;
  double fallback;
  double min;
  double max;
  bool whole = false;
};

constexpr double month_minutes = 30 * 24 * 60;

// The one table of what a threshold_config may say.
constexpr auto keys = std::to_array<Key>({
    {PatternType::scale_oscillation, "min_confidence", &Thresholds::min_confidence, .5, 0, 1},
    {PatternType::scale_oscillation, "confidence_drop", &Thresholds::confidence_drop, 0, 0, 1},
    {PatternType::scale_oscillation, "max_pause_minutes", &Thresholds::max_pause_minutes, 30, 0,
     month_minutes},
    {PatternType::scale_oscillation, "amplitude_ratio", &Thresholds::amplitude_ratio, .25, 0, 1},
    {PatternType::scale_oscillation, "return_ratio", &Thresholds::return_ratio, .6, 0, 1},

    {PatternType::resource_thrashing, "min_confidence", &Thresholds::min_confidence, .5, 0, 1},
    {PatternType::resource_thrashing, "confidence_drop", &Thresholds::confidence_drop, 0, 0, 1},
    {PatternType::resource_thrashing, "max_pause_minutes", &Thresholds::max_pause_minutes, 45, 0,
     month_minutes},
    {PatternType::resource_thrashing, "effectiveness_threshold", &Thresholds::effectiveness_threshold, .7, 0,
     1},
    {PatternType::resource_thrashing, "alternation_repeats", &Thresholds::alternation_repeats, 3, 2, 100,
     true},
    {PatternType::resource_thrashing, "quick_repeats", &Thresholds::quick_repeats, 2, 2, 100, true},
    {PatternType::resource_thrashing, "quick_gap_minutes", &Thresholds::quick_gap_minutes, 10, 0,
     month_minutes},
    {PatternType::resource_thrashing, "budget_actions", &Thresholds::budget_actions, 6, 1, 10'000, true},
    {PatternType::resource_thrashing, "budget_minutes", &Thresholds::budget_minutes, 60, 1, month_minutes},
    {PatternType::resource_thrashing, "budget_ratio", &Thresholds::budget_ratio, 3, 0, 1'000},

    {PatternType::ineffective_loop, "min_confidence", &Thresholds::min_confidence, .5, 0, 1},
    {PatternType::ineffective_loop, "confidence_drop", &Thresholds::confidence_drop, 0, 0, 1},
    {PatternType::ineffective_loop, "max_pause_minutes", &Thresholds::max_pause_minutes, 5, 0, month_minutes},
    {PatternType::ineffective_loop, "effectiveness_threshold", &Thresholds::effectiveness_threshold, .3, 0,
     1},
    {PatternType::ineffective_loop, "success_threshold", &Thresholds::success_threshold, .6, 0, 1},
    {PatternType::ineffective_loop, "repeats_without_result", &Thresholds::repeats_without_result, 5, 2,
     1'000, true},
    {PatternType::ineffective_loop, "max_period", &Thresholds::max_period, 5, 1, 20, true},
    {PatternType::ineffective_loop, "refire_minutes", &Thresholds::refire_minutes, 30, 0, month_minutes},
    {PatternType::ineffective_loop, "safety_net_attempts", &Thresholds::safety_net_attempts, 5, 2, 1'000,
     true},
    {PatternType::ineffective_loop, "hash_chain_minutes", &Thresholds::hash_chain_minutes, 60, 0,
     month_minutes},

    {PatternType::cascading_failure, "min_confidence", &Thresholds::min_confidence, .7, 0, 1},
    {PatternType::cascading_failure, "confidence_drop", &Thresholds::confidence_drop, 0, 0, 1},
    {PatternType::cascading_failure, "edge_minutes", &Thresholds::edge_minutes, 30, 1, month_minutes},

    {PatternType::action_budget, "min_confidence", &Thresholds::min_confidence, .5, 0, 1},
    {PatternType::action_budget, "confidence_drop", &Thresholds::confidence_drop, 0, 0, 1},
});

const Key* find_key(PatternType type, std::string_view name) {
  const auto found =
      std::ranges::find_if(keys, [&](const Key& key) { return key.type == type && key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string known_names(PatternType type) {
  std::string names;
  for (const Key& key : keys) {
    if (key.type == type) names += (names.empty() ? "" : ", ") + std::string(key.name);
  }
  return names;
}

}  // namespace

Thresholds thresholds_of(const Pattern& pattern) {
  Thresholds thresholds;
  for (const Key& key : keys) {
    if (key.type == pattern.pattern_type) thresholds.*key.member = key.fallback;
  }
  if (pattern.threshold_config.absent()) return thresholds;
  JsonDocument document;
  for (auto [name, value] : simdjson::dom::object(document.parse(pattern.threshold_config))) {
    if (const Key* key = find_key(pattern.pattern_type, name)) thresholds.*key->member = double(value);
  }
  return thresholds;
}

void validate_thresholds(const Pattern& pattern) {
  if (pattern.threshold_config.absent()) return;
  JsonDocument document;
  const JsonElement root = document.parse(pattern.threshold_config);
  if (!root.is_object()) refuse("threshold_config", "must be a JSON object");
  for (auto [name, value] : simdjson::dom::object(root)) {
    const std::string field = "threshold_config." + std::string(name);
    const Key* const key = find_key(pattern.pattern_type, name);
    if (key == nullptr) {
      refuse(field, fmt::format("is not known for {}; known are {}", to_string(pattern.pattern_type),
                                known_names(pattern.pattern_type)));
    }
    double number = 0;
    if (value.get(number) != simdjson::SUCCESS) refuse(field, "must be a number");
    require_between(field, number, key->min, key->max);
    if (key->whole && number != static_cast<double>(static_cast<std::int64_t>(number))) {
      refuse(field, "must be a whole number");
    }
  }
}

void write_thresholds(JsonWriter& writer, const Pattern& pattern, const Thresholds& thresholds) {
  writer.begin_object();
  writer.member("min_occurrences", pattern.min_occurrences);
  for (const Key& key : keys) {
    if (key.type == pattern.pattern_type) writer.member(key.name, thresholds.*key.member);
  }
  writer.end_object();
}

}  // namespace actionhist
