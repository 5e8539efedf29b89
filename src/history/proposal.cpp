// What an agent asks before it acts, and the patterns that the answer comes from.
#include <algorithm>

#include <fmt/format.h>

#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {

using namespace std::chrono_literals;

Verdict History::propose(const Action& action) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::action_prevention);
  const Trace proposed = state.prepare(action, true);
  Verdict verdict;
  try {
    state.repository->transaction([&] {
      verdict = state.guard.decide(proposed, std::max(state.now(), proposed.time()), true);
      if (!verdict.allowed() || verdict.repeated) return;
      state.repository->actions().insert_new(proposed);
      verdict.trace = proposed;
    });
  } catch (const Error& error) {
    const bool unreachable = error.code() == ErrorCode::unavailable || error.code() == ErrorCode::timeout;
    if (!unreachable || state.options.on_unavailable == OnUnavailable::deny) throw;
    verdict = {};
    verdict.not_evaluated.push_back(fmt::format("all: {}", error.what()));
    verdict.reason = "allowed without a record, because the database cannot be reached";
    return verdict;
  }
  if (verdict.trace) verdict.trace->stored = !verdict.repeated;
  state.written();
  return verdict;
}

Verdict History::check(const Action& action) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::real_time_decisions);
  const Trace proposed = state.prepare(action, true);
  Verdict verdict = state.guard.decide(proposed, std::max(state.now(), proposed.time()), false);
  verdict.trace.reset();
  return verdict;
}
std::vector<Detection> History::detect(const DetectQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::oscillation_detection);
  const bool scoped = !query.resource.kind.empty() || !query.resource.name.empty() ||
                      !query.correlation_id.empty() || !query.session_id.empty();
  if (!scoped) {
    throw Error(ErrorCode::invalid_argument, "detect: name a resource, a correlation_id or a session_id");
  }
  if (query.window && (*query.window < 1min || *query.window > std::chrono::days{366})) {
    throw Error(ErrorCode::invalid_argument, "window_minutes: must be between 1 and 527040");
  }
  DetectQuery wanted = query;
  wanted.resource.kind = normalized(query.resource).kind;
  return state.guard.detect(wanted, query.as_of.value_or(state.now()));
}

std::vector<Pattern> History::patterns() { return alive(state_).repository->patterns().patterns(); }

void History::put_pattern(const Pattern& pattern) {
  State& state = alive(state_);
  validate(pattern);
  // Its texts must be UTF-8 without NUL, which JSON checks.
  Json::parse(to_json(pattern), "pattern");
  state.repository->patterns().put(pattern);
}
}  // namespace actionhist
