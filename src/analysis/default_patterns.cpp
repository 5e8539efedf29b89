#include <actionhist/error.hpp>
#include <actionhist/pattern.hpp>

namespace actionhist {
namespace {

Pattern make(PatternType type, const char* name, const char* description, int min_occurrences,
             std::chrono::minutes window, Prevention prevention) {
  Pattern pattern;
  pattern.pattern_id = to_string(type);
  pattern.pattern_type = type;
  pattern.pattern_name = name;
  pattern.description = description;
  pattern.min_occurrences = min_occurrences;
  pattern.time_window = window;
  pattern.prevention_strategy = prevention;
  return pattern;
}

}  // namespace

std::vector<Pattern> default_patterns() {
  using namespace std::chrono_literals;
  std::vector<Pattern> patterns{
      make(PatternType::scale_oscillation, "Scale oscillation",
           "A resource is scaled to and fro and comes back to where it was.", 2, 120min,
           Prevention::cooling_period),
      make(PatternType::resource_thrashing, "Resource thrashing",
           "Settings of a resource are changed and reverted, kinds of changes alternate, or it is disrupted "
           "far more often than usual.",
           2, 120min, Prevention::cooling_period),
      make(PatternType::ineffective_loop, "Ineffective loop",
           "The same is tried again although it did not help.", 3, 240min, Prevention::block_action),
      make(PatternType::cascading_failure, "Cascading failure",
           "An action is followed by new alerts on related resources.", 3, 120min,
           Prevention::escalate_human),
      make(PatternType::action_budget, "Action budget",
           "More actions of one type on one resource than allowed.", 3, 60min, Prevention::block_action),
  };
  patterns.back().active = false;
  return patterns;
}

Pattern default_pattern(PatternType type) {
  for (Pattern& pattern : default_patterns()) {
    if (pattern.pattern_type != type) continue;
    pattern.pattern_id.clear();
    pattern.active = true;
    return std::move(pattern);
  }
  throw Error(ErrorCode::internal, "pattern_type: no pattern of this type is shipped");
}

}  // namespace actionhist
