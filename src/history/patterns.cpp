// The patterns that the guard watches for.
#include "analysis/oscillation.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

// True if the patterns differ only in what the store keeps about them.
bool says_the_same(const Pattern& known, Pattern given) {
  given.total_detections = known.total_detections;
  given.prevention_success_rate = known.prevention_success_rate;
  given.false_positive_rate = known.false_positive_rate;
  given.last_detection_at = known.last_detection_at;
  given.created_at = known.created_at;
  given.updated_at = known.updated_at;
  return given == known;
}

}  // namespace

std::vector<Pattern> History::patterns() { return alive(state_).repository->patterns().patterns(); }

void History::put_pattern(const Pattern& given) {
  State& state = alive(state_);
  validate(given);
  parse_webhook(given.alert_webhook);
  // Its texts must be UTF-8 without NUL, which JSON checks.
  Json::parse(to_json(given), "pattern");
  state.repository->transaction([&] {
    Pattern pattern = given;
    pattern.updated_at = pattern.created_at = state.now();
    for (const Pattern& known : state.repository->patterns().patterns()) {
      if (known.pattern_id != pattern.pattern_id) continue;
      pattern.created_at = known.created_at;
      if (says_the_same(known, pattern)) return;
    }
    state.repository->patterns().put(pattern);
  });
}

bool History::remove_pattern(std::string_view pattern_id) {
  State& state = alive(state_);
  validate_id(pattern_id, "pattern_id");
  return state.repository->patterns().remove(pattern_id);
}

}  // namespace actionhist
