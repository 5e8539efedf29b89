// Exact cycles: the last k·R calls are R identical cycles of k calls with their results.
#include <algorithm>
#include <cmath>

#include "analysis/fingerprint.hpp"
#include "analysis/loops.hpp"

namespace actionhist {
namespace {

struct Call {
  const Step* step = nullptr;
  std::string_view result;  // empty: not known

  // Resource and type, compared first because they need no parsing.
  bool same_kind(const Call& other) const {
    const Step& a = *step;
    const Step& b = *other.step;
    if (a.place != b.place || !a.same_type(b)) return false;
    return a.resource.empty() ? a.trace->resource == b.trace->resource : same_thing(*a.trace, *b.trace);
  }
  // Pods of one owner are guarded together. That another one was restarted is the same call only if it was for the
  // same alert: then the pod has got a new name meanwhile, otherwise the pods had their turn one after the other.
  static bool same_thing(const Trace& a, const Trace& b) {
    if (a.resource.kind == b.resource.kind && a.resource.name == b.resource.name) return true;
    return !a.alert_name.empty() && a.alert_name == b.alert_name;
  }
  bool same_parameters(const Call& other) const {
    return step->trace->action_parameters == other.step->trace->action_parameters ||
           step->digest->parameters_form() == other.step->digest->parameters_form();
  }
  bool same_key(const Call& other) const { return same_kind(other) && same_parameters(other); }
};

using Calls = std::vector<Call>;

// What came back. A call that failed without a result came back with its failure, whatever the error says.
std::string_view result_of(const Step& step) {
  if (!step.ended()) return {};
  if (!step.trace->outcome.result_hash.empty()) return step.trace->outcome.result_hash;
  return step.status == Status::failed ? "failed" : "";
}

Calls calls_of(const Window& window, bool mutating_only) {
  Calls calls;
  calls.reserve(window.steps().size());
  for (const Step* step : window.steps()) {
    if (!step->began()) continue;
    // Asking again is what a poller is for; it neither makes a loop nor interrupts one.
    if (!step->mutating && (mutating_only || step->type->polling)) continue;
    calls.push_back({step, result_of(*step)});
  }
  return calls;
}

// Whether two neighbours may be of one loop. Calls that only look belong to a loop only within one run of
// an agent and without long pauses: a periodic health check is none. Nor is a change that went well in runs of its
// own that no alert called for, as a nightly backup does; of changes whose run is not known nobody can say that.
bool linked(const Step& a, const Step& b, const Thresholds& thresholds) {
  const Trace& x = *a.trace;
  const Trace& y = *b.trace;
  const bool one_run = (!x.correlation_id.empty() && x.correlation_id == y.correlation_id) ||
                       (!x.session_id.empty() && x.session_id == y.session_id);
  const bool pause = b.at - a.at > minutes(thresholds.max_pause_minutes);
  if (!a.mutating || !b.mutating) return one_run && !pause;
  const bool runs_known = !x.correlation_id.empty() && !y.correlation_id.empty();
  const bool called_for = !alert_key(x).empty() || !alert_key(y).empty();
  const bool scheduled = pause && runs_known && !one_run && !called_for && a.status == Status::completed;
  return !scheduled;
}

struct Cycle {
  std::size_t period = 0;
  std::size_t repeats = 0;
  bool with_results = false;
  Steps steps;
};

class CycleSearch {
 public:
  CycleSearch(const Window& window, const Thresholds& thresholds, Attempts& attempts, Calls calls)
      : window_(window), thresholds_(thresholds), attempts_(attempts), calls_(std::move(calls)) {
    observed_ = calls_.size();
    while (observed_ > 0 && !calls_[observed_ - 1].step->ended()) --observed_;
  }

  std::optional<Cycle> find() {
    const auto wanted = static_cast<std::size_t>(window_.pattern().min_occurrences);
    if (!possible(wanted)) return std::nullopt;
    const auto blind = std::max(wanted, static_cast<std::size_t>(thresholds_.repeats_without_result));
    for (std::size_t period = 1; period <= max_period(); ++period) {
      // Calls without a result yet may go on with a cycle, but not prove one.
      const std::size_t seen = repeats(observed_, period, true);
      if (seen >= wanted && goes_on(period)) return cycle(period, seen, calls_.size() - observed_, true);
      const std::size_t all = repeats(calls_.size(), period, false);
      if (all >= blind) return cycle(period, all, 0, false);
    }
    return std::nullopt;
  }

 private:
  std::size_t max_period() const { return static_cast<std::size_t>(thresholds_.max_period); }

  // A look at resources and types alone, which most sequences do not pass. A proposal has to be the last call.
  bool possible(std::size_t wanted) const {
    const Step* const candidate = window_.candidate();
    if (candidate != nullptr && (calls_.empty() || calls_.back().step != candidate)) return false;
    for (std::size_t period = 1; period <= max_period() && period * wanted <= calls_.size(); ++period) {
      std::size_t tail = period;
      while (tail < period * wanted && at(calls_.size(), tail).same_kind(at(calls_.size(), tail - period)))
        ++tail;
      if (tail >= period * wanted) return true;
    }
    return false;
  }

  // The call `back` places before the last of the first `end`.
  const Call& at(std::size_t end, std::size_t back) const { return calls_[end - 1 - back]; }

  // How often the first `end` calls end with the same cycle. With results, all must be known and the same;
  // without, those that are known must not contradict each other.
  std::size_t repeats(std::size_t end, std::size_t period, bool with_results) const {
    if (end < period) return 0;
    std::vector<std::string_view> results(period);
    std::size_t tail = 0;
    for (; tail < end; ++tail) {
      const Call& call = at(end, tail);
      if (tail >= period && !call.same_key(at(end, tail - period))) break;
      if (tail > 0 && !linked(*call.step, *at(end, tail - 1).step, thresholds_)) break;
      if (attempts_.of(*call.step) == Progress::success) break;
      std::string_view& known = results[tail % period];
      if (with_results && call.result.empty()) break;
      if (!known.empty() && !call.result.empty() && known != call.result) break;
      if (known.empty()) known = call.result;
    }
    return tail / period;
  }

  // True if what still runs repeats the cycle that ends before it.
  bool goes_on(std::size_t period) const {
    for (std::size_t i = observed_; i < calls_.size(); ++i) {
      if (!calls_[i].same_key(calls_[i - period])) return false;
      if (!linked(*calls_[i - 1].step, *calls_[i].step, thresholds_)) return false;
    }
    return true;
  }

  Cycle cycle(std::size_t period, std::size_t repeats, std::size_t running, bool with_results) const {
    Cycle cycle{period, repeats, with_results, {}};
    for (std::size_t i = calls_.size() - running - period * repeats; i < calls_.size(); ++i) {
      cycle.steps.push_back(calls_[i].step);
    }
    return cycle;
  }

  const Window& window_;
  const Thresholds& thresholds_;
  Attempts& attempts_;
  Calls calls_;
  std::size_t observed_ = 0;  // calls before those that still run
};

// True if every changing call after the first cycle is known to have moved something, and none failed: then
// it is movement, which other patterns judge, and never "ineffective". A ramp by delta is the same call
// again and again, and yet it goes somewhere.
bool is_movement(const Window& window, Attempts& attempts, const Cycle& cycle) {
  Steps moved;
  for (const auto& group : window.by_resource()) {
    const Movements& all = window.movements_of(group.second);
    for (const Move& move : all.moves) {
      // A number that only the parameters of some tool have may be anything.
      const bool in_state = move.quality == 1 && !move.step->candidate;
      const bool is_property = move.dimension->scale || move.dimension->amount || in_state;
      const bool is_sure = move.quality >= .9 || !cycle.with_results;
      if (move.dir != 0 && is_property && is_sure) moved.push_back(move.step);
    }
    for (const Change& change : all.changes) moved.push_back(change.step);
  }
  bool any = false;
  for (std::size_t i = 0; i < cycle.steps.size(); ++i) {
    const Step* const step = cycle.steps[i];
    if (!step->mutating) continue;
    if (attempts.of(*step) == Progress::ineffective) return false;
    const bool is_moved = std::ranges::find(moved, step) != moved.end();
    if (!is_moved && i >= cycle.period) return false;
    any |= is_moved;
  }
  return any;
}

Match match_of(const Cycle& cycle) {
  Match match("exact-cycle");
  match.steps = cycle.steps;
  match.confidence = 1 - std::exp2(-static_cast<double>(cycle.repeats));
  const bool looks_only = std::ranges::none_of(cycle.steps, [](const Step* step) { return step->mutating; });
  const auto mean = mean_score(cycle.steps);
  match.severity = looks_only ? Severity::low : Severity::medium;
  if (!looks_only && cycle.steps.size() >= 5 && mean && *mean < .3) match.severity = Severity::critical;
  match.facts.member("period", cycle.period).member("repeats", cycle.repeats);
  match.facts.member("results_known", cycle.with_results).key("keys").begin_array();
  for (std::size_t i = 0; i < cycle.period; ++i) match.facts.value(canonical_key(*cycle.steps[i]->trace));
  match.facts.end_array();
  return match;
}

}  // namespace

std::optional<Match> find_exact_cycle(const Window& window, const Thresholds& thresholds,
                                      Attempts& attempts) {
  // Looking around between two identical changes does not make them different, so changes are also
  // compared alone.
  const bool mixed = std::ranges::any_of(window.steps(), [](const Step* step) { return !step->mutating; });
  for (const bool mutating_only : {false, true}) {
    if (mutating_only && !mixed) break;
    Calls calls = calls_of(window, mutating_only);
    const auto cycle = CycleSearch(window, thresholds, attempts, std::move(calls)).find();
    if (!cycle || is_movement(window, attempts, *cycle)) continue;
    Match match = match_of(*cycle);
    if (answers(window, match)) return match;
  }
  return std::nullopt;
}

}  // namespace actionhist
