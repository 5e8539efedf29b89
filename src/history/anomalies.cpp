// Runs that did not go as usual: what is usual is learned from the runs before, each time anew.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analysis/verbs.hpp"
#include "core/json_fields.hpp"
#include "history/selection.hpp"
#include "history/state.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_actions = 100'000;
constexpr std::size_t enough_runs = 20;
// A run without an action for this long has ended.
constexpr auto idle = 30min;

struct Run {
  std::vector<const Trace*> traces;  // oldest first
  std::vector<std::string> steps;

  TimePoint last_at() const { return traces.back()->time(); }
};

std::map<std::string, Run> runs_of(const std::vector<Trace>& traces) {
  std::map<std::string, Run> runs;
  for (const Trace& trace : traces) {
    const bool correlated = !trace.correlation_id.empty();
    if (!correlated && trace.session_id.empty()) continue;
    const Scope scope = correlated ? Scope{ScopeKind::correlation, trace.correlation_id}
                                   : Scope{ScopeKind::session, trace.session_id};
    Run& run = runs[to_string(scope)];
    run.traces.push_back(&trace);
    run.steps.push_back(plain_type(trace.action_type));
  }
  return runs;
}

Anomaly describe(const std::string& scope, const Run& run, const Surprise& surprise, double threshold) {
  Anomaly anomaly;
  anomaly.scope = scope;
  anomaly.surprise = surprise.nats;
  anomaly.threshold = threshold;
  const std::size_t at = surprise.position;
  const bool at_end = at == run.steps.size();
  anomaly.previous = at == 0 ? "begin" : run.traces[at - 1]->action_type;
  anomaly.step = at_end ? "end" : run.traces[at]->action_type;
  anomaly.action_id = run.traces[at_end ? at - 1 : at]->action_id;
  anomaly.actions = static_cast<std::int64_t>(run.traces.size());
  anomaly.first_at = run.traces.front()->time();
  anomaly.last_at = run.last_at();
  if (at_end) {
    anomaly.reason = fmt::format("the run ended after {}, which is unusual", anomaly.previous);
  } else if (at == 0) {
    anomaly.reason = fmt::format("the run began with {}, which is unusual", anomaly.step);
  } else {
    anomaly.reason = fmt::format("{} after {} is unusual", anomaly.step, anomaly.previous);
  }
  return anomaly;
}

void validate(const AnomalyQuery& query) {
  require_between("history_days", query.history_days, 1, 366);
  if (!(query.quantile > 0 && query.quantile <= 1)) refuse("quantile", "must be above 0 and at most 1");
  require_between("limit", query.limit, 1, 1000);
}

}  // namespace

Anomalies History::anomalies(const AnomalyQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::time_series_analysis);
  validate(query);
  const TimePoint as_of = query.as_of.value_or(state.now());
  const TimePoint since = query.since.value_or(as_of - 24h);
  if (since > as_of) refuse("since", "must not be after as_of");
  ActionQuery wanted;
  wanted.where = query.where;
  wanted.since = since - std::chrono::days(query.history_days);
  wanted.until = as_of + 1us;
  const Selection selection = select_newest(state.repository->actions(), wanted, most_actions);
  const std::map<std::string, Run> runs = runs_of(selection.traces);

  std::vector<std::vector<std::string>> usual;
  for (const auto& [scope, run] : runs) {
    if (run.last_at() < since) usual.push_back(run.steps);
  }
  const SequenceModel model(usual);
  Anomalies found;
  found.complete = selection.complete;
  found.history = static_cast<std::int64_t>(model.size());
  found.enough = model.size() >= enough_runs;
  if (found.enough) found.threshold = model.threshold(query.quantile);
  for (const auto& [scope, run] : runs) {
    if (run.last_at() < since) continue;
    ++found.judged;
    if (!found.threshold) continue;
    const bool ended = run.last_at() + idle <= as_of;
    const Surprise surprise = model.surprise(run.steps, ended);
    if (surprise.nats > *found.threshold)
      found.runs.push_back(describe(scope, run, surprise, *found.threshold));
  }
  std::ranges::stable_sort(found.runs, std::greater<>(), &Anomaly::surprise);
  if (found.runs.size() > static_cast<std::size_t>(query.limit))
    found.runs.resize(static_cast<std::size_t>(query.limit));
  return found;
}

}  // namespace actionhist
