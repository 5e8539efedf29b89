// Resource thrashing: settings of a resource are changed and reverted, kinds of changes alternate, or the
// resource is disrupted far more often than usual. v reverts or repeats give a confidence of 1 − 2^−v, n
// disruptions under a budget of b one of 1 − 2^(−2n/b); the surest rule speaks.
#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/detectors.hpp"
#include "analysis/moves.hpp"
#include "analysis/verbs.hpp"

namespace actionhist {
namespace {

Severity severity_of(int times) {
  return times >= 4 ? Severity::critical : times == 3 ? Severity::high : Severity::medium;
}

// One setting's way through its values; `returns(i)` says that move i brought back what move i − 1 left.
template <class Returns>
std::optional<Match> find_reverts(const Window& window, const Thresholds& thresholds, const Steps& steps,
                                  std::string_view setting, const Steps& moved, Returns returns) {
  int reverts = 0;
  std::size_t first = 0;
  std::size_t last = 0;
  for (std::size_t i = 1; i < moved.size(); ++i) {
    const bool soon = moved[i]->at - moved[i - 1]->at <= minutes(thresholds.max_pause_minutes);
    if (!soon || !returns(i)) continue;
    if (reverts++ == 0) first = i - 1;
    last = i;
  }
  if (reverts < window.pattern().min_occurrences) return std::nullopt;

  Match match("state-revert");
  match.steps.assign(moved.begin() + static_cast<std::ptrdiff_t>(first),
                     moved.begin() + static_cast<std::ptrdiff_t>(last) + 1);
  if (actors_alternate(match.steps)) match.sub_kind = "controller-conflict";
  match.confidence = 1 - std::exp2(-reverts);
  match.severity = severity_of(reverts);
  match.facts.member("setting", setting).member("reverts", reverts);

  // A proposal that does not say what it sets goes on with the pattern if it is of one of its types.
  const Step* const candidate = window.candidate();
  const bool silent = candidate != nullptr && candidate == steps.back() &&
                      std::ranges::find(moved, candidate) == moved.end() &&
                      candidate->at - moved[last]->at <= minutes(thresholds.max_pause_minutes);
  if (silent && last + 1 == moved.size()) {
    const auto same_type = [&](const Step* step) { return step->type->plain == candidate->type->plain; };
    if (std::ranges::any_of(match.steps, same_type)) match.steps.push_back(candidate);
  }
  return match;
}

std::optional<Match> find_reverts(const Window& window, const Thresholds& thresholds, const Steps& steps) {
  const Movements& all = window.movements_of(steps);
  Moves moves;
  std::map<std::pair<std::string_view, std::size_t>, std::vector<const Change*>> changes;
  Steps scaled;  // oldest first, so in the order of their addresses
  for (const Move& move : all.moves) {
    if (move.dir == 0) continue;
    if (move.dimension->scale) {
      scaled.push_back(move.step);
    } else if (move.from) {
      moves.push_back(&move);
    }
  }
  for (const Change& change : all.changes) {
    // A scaling changes the hash of the spec too, but it is the other pattern's business.
    const bool by_scaling = change.setting == "spec" && std::ranges::binary_search(scaled, change.step);
    if (!by_scaling) changes[{change.setting, change.of}].push_back(&change);
  }

  std::optional<Match> best;
  for (const Moves& way : by_dimension(moves)) {
    Steps moved;
    for (const Move* move : way) moved.push_back(move->step);
    const std::string& setting = way.front()->dimension->name;
    keep_stronger(window, best, find_reverts(window, thresholds, steps, setting, moved, [&](std::size_t i) {
                    return way[i]->dimension->same(*way[i - 1]->from, *way[i]->to);
                  }));
  }
  for (const auto& group : changes) {
    const std::vector<const Change*>& way = group.second;
    Steps moved;
    for (const Change* change : way) moved.push_back(change->step);
    keep_stronger(window, best,
                  find_reverts(window, thresholds, steps, group.first.first, moved,
                               [&](std::size_t i) { return way[i]->to == way[i - 1]->from; }));
  }
  return best;
}

// Whether the alert that all steps answer had not ended by the last of them.
bool same_alert_unresolved(const Window& window, const Steps& steps) {
  const std::string_view key = alert_key(*steps.front()->trace);
  if (key.empty()) return false;
  for (const Step* step : steps) {
    if (alert_key(*step->trace) != key) return false;
  }
  TimePoint latest = TimePoint::min();
  std::optional<TimePoint> ended;
  const auto look = [&](const std::string& fingerprint, TimePoint started, std::optional<TimePoint> end) {
    if (fingerprint != key || started > steps.back()->at || started < latest) return;
    latest = started;
    ended = end;
  };
  if (const EarlierAlerts* const earlier = window.evidence().earlier) {
    for (const EarlierFirings& each : earlier->firings)
      look(each.fingerprint, each.last_starts_at, each.last_ends_at);
  }
  for (const Alert& alert : window.evidence().alerts) look(alert.fingerprint, alert.starts_at, alert.ends_at);
  return !ended || *ended > steps.back()->at;
}

enum class Help { unknown, no, yes };

// Whether the alternating actions helped. Without any word about it, changes that are known to disturb a
// running system are taken to be no help; tools like an editor and a test run alternate by nature.
Help helped(const Window& window, const Thresholds& thresholds, const Steps& steps) {
  if (same_alert_unresolved(window, steps)) return Help::no;
  if (const auto mean = mean_score(steps)) {
    return *mean < thresholds.effectiveness_threshold ? Help::no : Help::yes;
  }
  if (std::ranges::any_of(steps, [](const Step* step) { return !alert_key(*step->trace).empty(); })) {
    return Help::yes;
  }
  const auto operates = [](const Step* step) { return operational(step->type->family); };
  return std::ranges::all_of(steps, operates) ? Help::no : Help::unknown;
}

std::optional<Match> find_alternation(const Window& window, const Thresholds& thresholds, const Steps& all,
                                      Finding& finding) {
  Steps steps;
  for (const Step* step : all) {
    if (!step->counted()) continue;
    if (!steps.empty() && step->at - steps.back()->at > minutes(thresholds.max_pause_minutes)) steps.clear();
    steps.push_back(step);
  }
  const std::size_t size = steps.size();
  const auto enough = static_cast<std::size_t>(thresholds.alternation_repeats);
  const auto enough_if_quick = static_cast<std::size_t>(thresholds.quick_repeats);
  for (std::size_t period = 2; period <= 4 && period * std::min(enough, enough_if_quick) <= size; ++period) {
    const Steps cycle(steps.end() - static_cast<std::ptrdiff_t>(period), steps.end());
    const auto as_first = [&](const Step* step) { return step->same_family(*cycle.front()); };
    if (std::ranges::all_of(cycle, as_first)) continue;
    std::size_t tail = period;
    while (tail < size && steps[size - 1 - tail]->same_family(*steps[size - 1 - tail + period])) ++tail;
    const std::size_t repeats = tail / period;
    const Steps cycles(steps.end() - static_cast<std::ptrdiff_t>(repeats * period), steps.end());
    bool quick = true;
    for (std::size_t i = 1; i < cycles.size(); ++i) {
      quick &= cycles[i]->at - cycles[i - 1]->at <= minutes(thresholds.quick_gap_minutes);
    }
    if (repeats < (quick ? std::min(enough, enough_if_quick) : enough)) continue;
    switch (helped(window, thresholds, cycles)) {
      case Help::yes: continue;
      case Help::unknown:
        not_evaluated(window, "kinds of actions alternate, but neither alert nor effectiveness is known",
                      finding);
        continue;
      case Help::no: break;
    }
    Match match("type-alternation");
    match.steps = cycles;
    match.confidence = 1 - std::exp2(-static_cast<double>(repeats));
    match.severity = severity_of(static_cast<int>(repeats));
    match.facts.member("period", period).member("repeats", repeats).key("families").begin_array();
    for (const Step* step : cycle) match.facts.value(step->type->family);
    match.facts.end_array();
    return match;
  }
  return std::nullopt;
}

// The 95th percentile of the hourly counts of disruptive actions before the budget's hour, over at most
// 7 days; empty if the resource is known for less than 24 h.
std::optional<double> usual_hourly_count(const Window& window, std::string_view resource_id,
                                         TimePoint until) {
  constexpr std::chrono::hours week{7 * 24};
  std::vector<TimePoint> times;
  TimePoint oldest = until;
  for (const TraceDigest* digest : window.evidence().past.digests()) {
    if (digest->at > until || digest->trace.resource_id != resource_id || digest->at < until - week) continue;
    oldest = std::min(oldest, digest->at);
    if (digest->counted(digest->status) && digest->type->disruptive) times.push_back(digest->at);
  }
  const auto hours = std::chrono::floor<std::chrono::hours>(until - oldest).count();
  if (hours < 24) return std::nullopt;
  std::vector<int> counts(static_cast<std::size_t>(hours), 0);
  for (const TimePoint time : times) {
    const auto ago = static_cast<std::size_t>(std::chrono::floor<std::chrono::hours>(until - time).count());
    if (ago < counts.size()) ++counts[ago];
  }
  std::ranges::sort(counts);
  return counts[static_cast<std::size_t>(std::ceil(.95 * static_cast<double>(counts.size()))) - 1];
}

std::optional<Match> find_over_budget(const Window& window, const Thresholds& thresholds, const Steps& all) {
  const TimePoint begin = window.as_of() - minutes(thresholds.budget_minutes);
  Match match("disruption-budget");
  for (const Step* step : all) {
    if (step->at >= begin && step->counted() && step->type->disruptive) match.steps.push_back(step);
  }
  const auto count = static_cast<double>(match.steps.size());
  if (count < thresholds.budget_actions) return std::nullopt;
  const auto usual = usual_hourly_count(window, all.front()->trace->resource_id, begin);
  if (usual && count <= thresholds.budget_ratio * *usual) return std::nullopt;
  match.confidence = std::min(.99, 1 - std::exp2(-2 * count / thresholds.budget_actions));
  match.facts.member("disruptions", match.steps.size());
  if (usual) match.facts.member("usual_hourly_p95", *usual);
  return match;
}

}  // namespace

void find_resource_thrashing(const Window& window, const Thresholds& thresholds, Finding& finding) {
  for (const auto& [resource, steps] : window.judged_resources()) {
    if (steps.size() < 2) continue;
    std::optional<Match> reverts = find_reverts(window, thresholds, steps);
    std::optional<Match> budget = find_over_budget(window, thresholds, steps);
    if (reverts && budget) {
      reverts->severity = Severity::critical;
      budget->severity = Severity::critical;
    }
    // A fight of two controllers needs another answer than a busy resource, however sure the others are.
    const bool conflict = reverts && reverts->sub_kind == "controller-conflict";
    std::optional<Match> best;
    keep_stronger(window, best, std::move(reverts));
    if (!conflict || !best) {
      keep_stronger(window, best, find_alternation(window, thresholds, steps, finding));
      keep_stronger(window, best, std::move(budget));
    }
    if (best) report(window, thresholds, std::move(*best), finding);
  }
}

}  // namespace actionhist
