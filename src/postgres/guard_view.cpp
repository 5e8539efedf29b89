#include "postgres/guard_view.hpp"

#include <algorithm>
#include <array>

#include "postgres/guard_cache.hpp"
#include "postgres/guard_heads.hpp"
#include "postgres/reads.hpp"
#include "sql/learning_rows.hpp"

namespace actionhist::postgres {
namespace {

using namespace std::chrono_literals;

// Clocks differ: what is read for one agent has to do for another that is behind it.
constexpr auto clock_margin = 10min;

// Empty where none of the scopes is of this kind; nothing is stored under that.
std::string_view key_of(std::span<const Scope> scopes, ScopeKind kind) {
  const auto found = std::ranges::find(scopes, kind, &Scope::kind);
  return found == scopes.end() ? std::string_view() : std::string_view(found->key);
}

// The version of each scope's head, the policy of the resource, and whether a detection may be in force. A place of its
// own for each kind of scope: the server plans what looks up an array of names anew each time, for their number.
Call ask_heads(const std::string& tenant, std::span<const Scope> scopes, TimePoint now) {
  return {
      "SELECT pg_postmaster_start_time(), coalesce((SELECT version FROM guard_heads WHERE tenant_id = $1 AND "
      "scope = 'watch'), 0), EXISTS (SELECT FROM oscillation_detections WHERE tenant_id = $1 AND scope IN "
      "('resource:' || $2, 'correlation:' || $3, 'session:' || $4) AND in_force_until > $5 AND resolved_at IS NULL), "
      "coalesce(h.version, 0), coalesce((SELECT version FROM guard_heads WHERE tenant_id = $1 AND "
      "scope = 'correlation:' || $3), 0), coalesce((SELECT version FROM guard_heads WHERE tenant_id = $1 AND "
      "scope = 'session:' || $4), 0), h.oscillation_window_minutes, h.effectiveness_threshold, "
      "h.pattern_min_occurrences FROM (SELECT) AS once LEFT JOIN action_histories h ON h.tenant_id = $1 AND "
      "h.resource_id = $2",
      Parameters(tenant, key_of(scopes, ScopeKind::resource), key_of(scopes, ScopeKind::correlation),
                 key_of(scopes, ScopeKind::session), now)};
}

// Puts older actions that mutate before the newest ones, where a decision looks at them.
void add_mutating(Engine& engine, const GuardQuestion& question, const Scope& scope, TimePoint since,
                  std::vector<RecentTrace>& newest) {
  const int more = judged_before(newest, question.max_traces);
  if (more == 0) return;
  const Call call =
      ask_judged(engine.tenant(), scope, since, newest.front().time() - 1us, more, Effect::mutating);
  std::vector<RecentTrace> all =
      read_judged((engine.in_transaction() ? engine.read_ahead({call}) : engine.run({call})).front());
  std::ranges::move(newest, std::back_inserter(all));
  newest = std::move(all);
}

// What decisions without a lock are made on: read in the order in which it can only be too new.
class ReadingAhead {
 public:
  ReadingAhead(Engine& engine, const GuardQuestion& question)
      : engine_(engine), question_(question), now_(question.now - clock_margin) {}

  // Fills in those of `readings` that are missing, and keeps them in the cache. Returns what is watched for.
  std::shared_ptr<const Watch> read(ScopeReadings& readings) {
    std::shared_ptr<const Watch> watch = engine_.guard_cache().watch();
    for (std::size_t i = 0; i < readings.size(); ++i) {
      if (!readings[i]) missing_.push_back(i);
    }
    if (!missing_.empty() || !watch) {
      read_scopes(readings);
      if (!holds(watch)) watch = read_watch();
    }
    return watch;
  }

 private:
  void read_scopes(ScopeReadings& readings) {
    const std::string& tenant = engine_.tenant();
    std::vector<Scope> scopes;
    for (const std::size_t place : missing_) scopes.push_back(question_.scopes[place]);
    std::vector<Call> calls{ask_heads(tenant, scopes, now_)};
    for (const Scope& scope : scopes) {
      calls.push_back(
          ask_judged(tenant, scope, now_ - question_.window, question_.now + 1h, question_.max_traces));
    }
    const std::vector<Result> results = engine_.read_ahead(std::move(calls));
    bool in_force = false;
    std::array<std::int64_t, 3> versions{};  // by kind
    Reader heads(results[0]);
    heads.next();
    heads.read(server_).read(watch_version_).read(in_force);
    for (std::int64_t& version : versions) heads.read(version);
    const GuardPolicy policy = sql::read_guard_policy(heads);
    std::vector<Detection> detections;
    if (in_force) {
      detections = read_detections(engine_.read_ahead({ask_in_force(tenant, scopes, now_)}).front());
    }
    for (std::size_t i = 0; i < scopes.size(); ++i) {
      const std::string name = to_string(scopes[i]);
      ScopeReading reading;
      reading.server = server_;
      reading.now = now_;
      reading.window = question_.window;
      reading.version = versions[static_cast<std::size_t>(scopes[i].kind)];
      if (scopes[i].kind == ScopeKind::resource) reading.policy = policy;
      std::ranges::copy_if(detections, std::back_inserter(reading.in_force),
                           [&](const Detection& detection) { return detection.scope == name; });
      reading.recent = read_judged(results[1 + i]);
      if (question_.busy(scopes[i], reading.recent)) {
        add_usual(scopes[i], reading.recent);
        reading.usual = true;
      }
      add_mutating(engine_, question_, scopes[i],
                   now_ - (reading.usual ? question_.baseline : question_.window), reading.recent);
      readings[missing_[i]] = engine_.guard_cache().put(name, std::move(reading));
    }
  }

  // Puts the actions of the baseline before those of the window, as many as count.
  void add_usual(const Scope& scope, std::vector<RecentTrace>& recent) {
    const int more = question_.max_traces - static_cast<int>(recent.size());
    std::vector<RecentTrace> usual =
        read_judged(engine_
                        .read_ahead({ask_judged(engine_.tenant(), scope, now_ - question_.baseline,
                                                now_ - question_.window - 1us, more)})
                        .front());
    std::ranges::move(recent, std::back_inserter(usual));
    recent = std::move(usual);
  }

  bool holds(const std::shared_ptr<const Watch>& watch) const {
    return watch && watch->version == watch_version_ && watch->server == server_ &&
           watch->since <= question_.now - std::max(question_.baseline, question_.alerts);
  }

  std::shared_ptr<const Watch> read_watch() {
    const std::string& tenant = engine_.tenant();
    auto watch = std::make_shared<Watch>();
    watch->server = server_;
    watch->since = now_ - std::max(question_.baseline, question_.alerts);
    std::vector<Call> calls;
    calls.push_back(
        {"SELECT version FROM guard_heads WHERE tenant_id = $1 AND scope = 'watch'", Parameters(tenant)});
    calls.push_back(ask_patterns(tenant));
    calls.push_back(ask_alerts(tenant, watch->since, question_.now + 1h));
    const std::vector<Result> results = engine_.read_ahead(std::move(calls));
    if (Reader version(results[0]); version.next()) version.read(watch->version);
    watch->patterns = read_patterns(results[1]);
    watch->alerts = read_alerts(results[2]);
    for (const Alert& alert : watch->alerts) watch->firings[alert.fingerprint].push_back(&alert);
    engine_.guard_cache().put_watch(watch);
    return watch;
  }

  Engine& engine_;
  const GuardQuestion& question_;
  const TimePoint now_;
  std::vector<std::size_t> missing_;  // places of scopes
  TimePoint server_{};
  std::int64_t watch_version_ = 0;
};

// What is remembered of each scope, null where that is not enough.
ScopeReadings remembered(GuardCache& cache, const GuardQuestion& question,
                         const std::vector<std::string>& scopes) {
  ScopeReadings readings;
  for (std::size_t i = 0; i < scopes.size(); ++i) {
    auto& reading = readings.emplace_back(cache.find(scopes[i]));
    if (reading && !reading->reaches(question.scopes[i], question)) reading.reset();
  }
  return readings;
}

bool holds_action(const ScopeReadings& readings, const std::string& action_id) {
  const std::size_t hash = std::hash<std::string>()(action_id);
  const auto is_it = [&](const RecentTrace& trace) {
    return trace.id_hash() == hash && trace.action_id() == action_id;
  };
  return std::ranges::any_of(
      readings, [&](const auto& reading) { return std::ranges::any_of(reading->recent, is_it); });
}

std::optional<GuardView> view_ahead(Engine& engine, const GuardQuestion& question) {
  GuardCache& cache = engine.guard_cache();
  GroupCommit& groups = engine.group_commit();
  const auto patience = engine.patience();
  const std::vector<std::string> scopes = names_of(question.scopes);
  if (!cache.promising(scopes)) return std::nullopt;
  engine.wait_for_turn(scopes);
  if (!groups.await(scopes, scopes.front(), patience)) return std::nullopt;
  Premise premise{scopes, {}, static_cast<std::size_t>(question.max_traces), groups.failures()};
  ScopeReadings readings = remembered(cache, question, scopes);
  if (std::ranges::find(readings, nullptr) != readings.end()) {
    // The database does not know yet what is on its way.
    if (!groups.await(scopes, {}, patience)) return std::nullopt;
    premise.failures = groups.failures();
    readings = remembered(cache, question, scopes);
  }
  const std::shared_ptr<const Watch> watch = ReadingAhead(engine, question).read(readings);
  for (std::size_t i = 0; i < readings.size(); ++i) {
    premise.heads.add(question.scopes[i], readings[i]->version);
    if (readings[i]->server == watch->server) continue;
    // Another server has taken over, and may have lost what was read from the one before.
    cache.forget(scopes);
    return std::nullopt;
  }
  premise.heads.watch = watch->version;
  premise.heads.server = watch->server;
  // What is stored already is answered from the database.
  if (holds_action(readings, question.action_id)) return std::nullopt;
  auto view = view_of(readings, watch, question);
  if (view) engine.presume(std::move(premise));
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
    return ask_judged(tenant, scope, question.now - span, question.now + 5min, question.max_traces);
  };
  if (!question.scopes.empty()) {
    calls.push_back(ask_patterns(tenant));
    calls.push_back(ask_in_force(tenant, question.scopes, question.now));
    calls.push_back(ask_alerts(tenant, question.now - question.alerts, question.now));
    calls.push_back(ask_policy(tenant, key_of(question.scopes, ScopeKind::resource)));
    for (const Scope& scope : question.scopes) calls.push_back(ask_traces(scope, question.window));
  }
  const std::vector<Result> results = engine.run(std::move(calls));

  GuardView view;
  for (std::size_t i = action; i < patterns && !view.stored; ++i) {
    std::vector<Trace> found = read_traces(results[i]);
    if (!found.empty()) view.stored = std::move(found.front());
  }
  if (view.stored || question.scopes.empty()) return view;
  view.patterns = SharedRows(read_patterns(results[patterns]));
  view.in_force = read_detections(results[patterns + 1]);
  view.alerts = SharedRows(read_alerts(results[patterns + 2]));
  view.policy = read_policy(results[patterns + 3]);
  for (std::size_t i = 0; i < question.scopes.size(); ++i) {
    const Scope& scope = question.scopes[i];
    std::vector<RecentTrace> recent = read_judged(results[patterns + 4 + i]);
    const bool busy = question.busy(scope, recent);
    if (busy) recent = read_judged(engine.run({ask_traces(scope, question.baseline)}).front());
    add_mutating(engine, question, scope, question.now - (busy ? question.baseline : question.window),
                 recent);
    view.recent.emplace_back(std::move(recent));
  }
  if (question.asks_earlier(view)) {
    std::vector<Call> earlier;
    ask_earlier_alerts(earlier, tenant, question.earlier(view));
    view.earlier = read_earlier_alerts(engine.run(std::move(earlier)));
  }
  return view;
}

}  // namespace

GuardView read_guard_view(Engine& engine, const GuardQuestion& question, bool lock) {
  if (lock && !question.scopes.empty()) {
    if (engine.may_read_ahead()) {
      if (auto view = view_ahead(engine, question)) return std::move(*view);
    }
    // What is on its way would fail if the lock came before it.
    const std::vector<std::string> scopes = names_of(question.scopes);
    engine.wait_for_turn(scopes);
    engine.group_commit().await(scopes, {}, engine.patience());
  }
  return view_under_lock(engine, question, lock);
}

}  // namespace actionhist::postgres
