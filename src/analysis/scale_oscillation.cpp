// Scale oscillation: a count of a resource is moved to and fro and comes back to where it was.
// With r reversals, path = Σ|Δ| and ρ = 1 − |last − first| / path it is found when r ≥ min_occurrences and
// ρ ≥ return_ratio; its confidence is ρ · (1 − 2^−r) · the mean quality of the moves.
#include <algorithm>
#include <cmath>

#include "analysis/detectors.hpp"
#include "analysis/moves.hpp"

namespace actionhist {
namespace {

// What a sequence of moves of one dimension amounts to.
struct Swing {
  int reversals = 0;
  std::size_t first = 0;  // the moves that reverse each other
  std::size_t last = 0;
  double path = 0;
  double net = 0;
  double rho = 0;  // 1: came back to the start, 0: monotone
  double quality = 0;
  bool by_verb = false;  // some numbers are not known
};

bool reverses(const Move& before, const Move& move, const Thresholds& thresholds) {
  if (move.dir == before.dir) return false;
  if (move.step->at - before.step->at > minutes(thresholds.max_pause_minutes)) return false;
  if (move.amount == 0 || before.amount == 0) return true;  // only the verb is known
  const double smaller = std::min(move.amount, before.amount);
  return smaller / std::max(move.amount, before.amount) >= thresholds.amplitude_ratio;
}

Swing swing_of(const Moves& moves, const Thresholds& thresholds) {
  Swing swing;
  double sum = 0;
  int directions = 0;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const Move& move = *moves[i];
    swing.path += move.amount;
    sum += move.dir * move.amount;
    directions += move.dir;
    swing.quality += move.quality / static_cast<double>(moves.size());
    swing.by_verb |= move.amount == 0;
    if (i == 0 || !reverses(*moves[i - 1], move, thresholds)) continue;
    if (swing.reversals++ == 0) swing.first = i - 1;
    swing.last = i;
  }
  if (swing.by_verb) {
    swing.rho = 1 - std::abs(directions) / static_cast<double>(moves.size());
    return swing;
  }
  const Move& begin = *moves.front();
  const Move& end = *moves.back();
  swing.net = begin.from && end.to ? std::abs(*end.to - *begin.from) : std::abs(sum);
  swing.rho = std::max(0., 1 - swing.net / swing.path);
  return swing;
}

Severity severity_of(const Swing& swing, const Steps& steps) {
  const bool quick = median_interval_seconds(steps) <= 600;
  const auto mean = mean_score(steps);
  if (swing.reversals >= 4 && (quick || (mean && *mean < .5))) return Severity::critical;
  return swing.reversals >= 3 ? Severity::high : Severity::medium;
}

void judge(const Window& window, const Moves& moves, const Thresholds& thresholds, Finding& finding) {
  const auto wanted = static_cast<std::size_t>(window.pattern().min_occurrences);
  if (moves.size() <= wanted) return;
  // A proposal can only add the last reversal.
  const Step* const candidate = window.candidate();
  if (candidate != nullptr &&
      (moves.back()->step != candidate || !reverses(*moves[moves.size() - 2], *moves.back(), thresholds))) {
    return;
  }
  const Swing swing = swing_of(moves, thresholds);
  // The tolerance lets a ratio that is .6 on paper pass.
  if (swing.reversals < static_cast<int>(wanted) || swing.rho < thresholds.return_ratio - 1e-9) return;

  Match match("");
  for (std::size_t i = swing.first; i <= swing.last; ++i) match.steps.push_back(moves[i]->step);
  match.sub_kind = actors_alternate(match.steps) ? "controller-conflict"
                   : swing.by_verb               ? "by-verb"
                                                 : "by-value";
  match.confidence = swing.rho * (1 - std::exp2(-swing.reversals)) * swing.quality;
  match.severity = severity_of(swing, match.steps);
  JsonWriter& facts = match.facts;
  facts.member("dimension", moves.front()->dimension->name)
      .member("moves", moves.size())
      .member("reversals", swing.reversals);
  if (!swing.by_verb) facts.member("path", swing.path).member("net", swing.net);
  facts.member("rho", swing.rho).member("quality", swing.quality);
  facts.key("values").begin_array();
  for (const Move* move : moves) {
    move->to ? facts.value(*move->to) : facts.null();
  }
  facts.end_array();
  report(window, thresholds, std::move(match), finding);
}

}  // namespace

void find_scale_oscillation(const Window& window, const Thresholds& thresholds, Finding& finding) {
  const auto wanted = static_cast<std::size_t>(window.pattern().min_occurrences);
  for (const auto& [resource, steps] : window.judged_resources()) {
    if (steps.size() <= wanted) continue;
    Moves moves;
    for (const Move& move : window.movements_of(steps).moves) {
      // A repeated value is no move and hides no reversal: 2,4,4,2 has one.
      if (move.dir != 0 && move.dimension->scale) moves.push_back(&move);
    }
    for (const Moves& group : by_dimension(moves)) judge(window, group, thresholds, finding);
  }
}

}  // namespace actionhist
