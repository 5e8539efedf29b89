#include "postgres/guard_view.hpp"

#include <algorithm>

#include <fmt/ranges.h>

#include "postgres/guard_cache.hpp"
#include "postgres/guard_heads.hpp"
#include "postgres/reads.hpp"

namespace actionhist::postgres {
namespace {

using namespace std::chrono_literals;

// Clocks differ: what is read for one agent has to do for another that is behind it.
constexpr auto clock_margin = 10min;

// Empty when the resource is not known; nothing is stored under that.
std::string_view resource_of(std::span<const Scope> scopes) {
  for (const Scope& scope : scopes) {
    if (scope.kind == ScopeKind::resource) return scope.key;
  }
  return {};
}

std::vector<Trace> oldest_first(const Result& result) {
  std::vector<Trace> traces = read_traces(result);
  std::ranges::reverse(traces);
  return traces;
}

// What decisions without a lock are made on: read in the order in which it can only be too new.
class ReadingAhead {
 public:
  ReadingAhead(Engine& engine, const GuardQuestion& question) : engine_(engine), question_(question) {
    reading_.now = question.now - clock_margin;
    reading_.window = question.window;
    for (const Scope& scope : question.scopes) {
      if (scope.kind != ScopeKind::resource) reading_.heads.scopes.push_back(to_string(scope));
    }
    std::ranges::sort(reading_.heads.scopes);
  }

  GuardReading read() {
    read_scopes();
    reading_.watch = engine_.guard_cache().watch();
    if (!holds(reading_.watch)) reading_.watch = read_watch();
    reading_.heads.watch = reading_.watch->version;
    return std::move(reading_);
  }

 private:
  void read_scopes() {
    const std::string& tenant = engine_.tenant();
    std::vector<Call> calls;
    calls.push_back(
        {"SELECT pg_postmaster_start_time(), coalesce((SELECT version FROM guard_heads WHERE tenant_id = $1 AND "
         "scope = 'watch'), 0), coalesce((SELECT version FROM action_histories WHERE tenant_id = $1 AND "
         "resource_id = $2), 0), ARRAY(SELECT coalesce(h.version, 0) FROM unnest($3::text[]) WITH ORDINALITY AS "
         "w(scope, place) LEFT JOIN guard_heads h ON h.tenant_id = $1 AND h.scope = w.scope ORDER BY place)",
         Parameters(tenant, resource_of(question_.scopes), reading_.heads.scopes)});
    calls.push_back(ask_policy(tenant, resource_of(question_.scopes)));
    calls.push_back(ask_in_force(tenant, question_.scopes, reading_.now));
    const std::size_t recent = calls.size();
    for (const Scope& scope : question_.scopes) calls.push_back(ask_traces(scope, question_.window));
    const std::vector<Result> results = engine_.read_ahead(std::move(calls));
    Reader heads(results[0]);
    heads.next();
    heads.read(reading_.heads.server).read(reading_.heads.watch).read(reading_.heads.history);
    heads.read(reading_.heads.versions);
    reading_.policy = read_policy(results[1]);
    reading_.in_force = read_detections(results[2]);
    for (std::size_t i = 0; i < question_.scopes.size(); ++i) {
      std::vector<Trace>& traces = reading_.recent.emplace_back(oldest_first(results[recent + i]));
      if (!question_.busy(question_.scopes[i], traces)) continue;
      traces =
          oldest_first(engine_.read_ahead({ask_traces(question_.scopes[i], question_.baseline)}).front());
      reading_.usual = true;
    }
  }

  Call ask_traces(const Scope& scope, std::chrono::microseconds span) const {
    return ask_recent(engine_.tenant(), scope, reading_.now - span, question_.now + 1h, question_.max_traces);
  }

  bool holds(const std::shared_ptr<const Watch>& watch) const {
    return watch && watch->version == reading_.heads.watch && watch->server == reading_.heads.server &&
           watch->since <= question_.now - question_.baseline;
  }

  std::shared_ptr<const Watch> read_watch() {
    const std::string& tenant = engine_.tenant();
    auto watch = std::make_shared<Watch>();
    watch->server = reading_.heads.server;
    watch->since = reading_.now - question_.baseline;
    std::vector<Call> calls;
    calls.push_back(
        {"SELECT version FROM guard_heads WHERE tenant_id = $1 AND scope = 'watch'", Parameters(tenant)});
    calls.push_back(ask_patterns(tenant));
    calls.push_back(ask_alerts(tenant, watch->since, question_.now + 1h));
    const std::vector<Result> results = engine_.read_ahead(std::move(calls));
    if (Reader version(results[0]); version.next()) version.read(watch->version);
    watch->patterns = read_patterns(results[1]);
    watch->alerts = read_alerts(results[2]);
    engine_.guard_cache().put_watch(watch);
    return watch;
  }

  Engine& engine_;
  const GuardQuestion& question_;
  GuardReading reading_;
};

std::optional<GuardView> view_ahead(Engine& engine, const GuardQuestion& question) {
  GuardCache& cache = engine.guard_cache();
  const std::vector<std::string> scopes = names_of(question.scopes);
  const std::string key = fmt::format("{}", fmt::join(scopes, "\n"));
  if (!cache.promising(key)) return std::nullopt;
  engine.wait_for_turn(scopes);
  std::shared_ptr<const GuardReading> reading = cache.find(key, scopes);
  std::optional<GuardView> view;
  if (reading) view = view_of(*reading, question);
  if (!view) {
    reading = cache.put(key, scopes, ReadingAhead(engine, question).read());
    view = view_of(*reading, question);
  }
  if (view) engine.presume({key, scopes, reading->heads, static_cast<std::size_t>(question.max_traces)});
  return view;
}

GuardView view_under_lock(Engine& engine, const GuardQuestion& question, bool lock) {
  const std::string& tenant = engine.tenant();
  std::vector<Call> calls;
  // The first statements take the locks, and each later one sees what was committed before it.
  if (lock && !question.scopes.empty()) add_lock(calls, tenant, names_of(question.scopes));
  const std::size_t action = calls.size();
  ask_action(calls, tenant, question.action_id);
  const std::size_t patterns = calls.size();
  const auto ask_traces = [&](const Scope& scope, std::chrono::microseconds span) {
    return ask_recent(tenant, scope, question.now - span, question.now + 5min, question.max_traces);
  };
  if (!question.scopes.empty()) {
    calls.push_back(ask_patterns(tenant));
    calls.push_back(ask_in_force(tenant, question.scopes, question.now));
    calls.push_back(ask_alerts(tenant, question.now - question.alerts, question.now));
    calls.push_back(ask_policy(tenant, resource_of(question.scopes)));
    for (const Scope& scope : question.scopes) calls.push_back(ask_traces(scope, question.window));
  }
  const std::vector<Result> results = engine.run(std::move(calls));

  GuardView view;
  for (std::size_t i = action; i < patterns && !view.stored; ++i) {
    std::vector<Trace> found = read_traces(results[i]);
    if (!found.empty()) view.stored = std::move(found.front());
  }
  if (view.stored || question.scopes.empty()) return view;
  view.patterns = read_patterns(results[patterns]);
  view.in_force = read_detections(results[patterns + 1]);
  view.alerts = read_alerts(results[patterns + 2]);
  view.policy = read_policy(results[patterns + 3]);
  bool acted = false;
  for (std::size_t i = 0; i < question.scopes.size(); ++i) {
    std::vector<Trace>& recent = view.recent.emplace_back(oldest_first(results[patterns + 4 + i]));
    if (question.busy(question.scopes[i], recent)) {
      recent = oldest_first(engine.run({ask_traces(question.scopes[i], question.baseline)}).front());
    }
    acted = acted || !recent.empty();
  }
  if (!view.alerts.empty() && acted) {
    view.alerts =
        read_alerts(engine.run({ask_alerts(tenant, question.now - question.baseline, question.now)}).front());
  }
  return view;
}

}  // namespace

GuardView read_guard_view(Engine& engine, const GuardQuestion& question, bool lock) {
  if (lock && !question.scopes.empty() && engine.may_read_ahead()) {
    if (auto view = view_ahead(engine, question)) return std::move(*view);
  }
  return view_under_lock(engine, question, lock);
}

}  // namespace actionhist::postgres
