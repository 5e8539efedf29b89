// A decision on what a process remembers is the decision on what the database holds.
#include <catch2/catch.hpp>

#include <random>
#include <thread>

#include "postgres/guard_cache.hpp"
#include "support/effort.hpp"
#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

Options with_clock(const FixedClock& clock) { return {.tenant = "t", .semantic = false, .clock = clock}; }

// Two processes, in effect, that both act on two resources and change what decisions are made on.
class Neighbours {
 public:
  explicit Neighbours(unsigned seed)
      : random_(seed),
        uri_(fresh_database(shared_server())),
        ours_(open(uri_, with_clock(clock_))),
        theirs_(open(uri_, with_clock(clock_))) {}

  void step() {
    clock_.advance(std::chrono::seconds(below(200)));
    History& other = below(2) == 0 ? ours_ : theirs_;
    switch (below(12)) {
      case 0: late(other); break;
      case 1: complete(other); break;
      case 2: assess(other); break;
      case 3:
        if (!ids_.empty()) other.erase(some_id());
        break;
      case 4: observe(other); break;
      case 5: change_pattern(other); break;
      case 6: resolve(other); break;
      default: propose(below(4) == 0 ? theirs_ : ours_);
    }
  }

  int allowed = 0, refused = 0;

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }
  const std::string& some_id() { return ids_[random_() % ids_.size()]; }

  Action action() {
    Action action = restart(fmt::format("a-{}", next_++), clock_());
    action.resource.name = below(2) == 0 ? "web" : "api";
    if (below(3) == 0) action.session_id = "s";
    if (below(4) == 0) action.correlation_id = "c";
    action.alert_fingerprint = "f";
    if (below(2) == 0) {
      action.action_type = "scale_deployment";
      action.action_parameters = Json::object({{"replicas", 3 + 2 * below(2)}});
    }
    return action;
  }

  // check() reads all anew and without a lock; nobody else is there to change it meanwhile.
  void propose(History& history) {
    Action action = this->action();
    action.action_timestamp.reset();
    const Verdict expected = history.check(action);
    const Verdict verdict = history.propose(action);
    INFO(action.action_id << " " << expected.reason << " / " << verdict.reason);
    CHECK(verdict.decision == expected.decision);
    CHECK(verdict.reason == expected.reason);
    CHECK(verdict.not_evaluated == expected.not_evaluated);
    CHECK(verdict.detections.size() == expected.detections.size());
    CHECK(history.get(action.action_id).has_value() == verdict.allowed());
    if (verdict.allowed()) ids_.push_back(action.action_id);
    ++(verdict.allowed() ? allowed : refused);
  }

  void late(History& history) {
    Action action = this->action();
    action.action_timestamp = clock_() - std::chrono::minutes(below(90));
    ids_.push_back(history.record(action).action_id);
  }

  void complete(History& history) {
    if (ids_.empty()) return;
    Outcome outcome;
    outcome.status = below(2) == 0 ? Status::failed : Status::completed;
    try {
      history.complete(some_id(), outcome, true);
    } catch (const Error&) {  // erased, or over already
    }
  }

  void assess(History& history) {
    if (ids_.empty()) return;
    Assessment assessment;
    assessment.score = below(10) / 10.0;
    try {
      history.assess(some_id(), assessment);
    } catch (const Error&) {  // erased
    }
  }

  void observe(History& history) {
    Alert alert;
    alert.name = "KubePodCrashLooping";
    alert.fingerprint = "f";
    alert.starts_at = clock_();
    // Earlier ones are counted, wherever they are remembered.
    if (below(2) == 0) alert.starts_at -= std::chrono::minutes(below(9 * 24 * 60));
    if (below(2) == 0) alert.ends_at = clock_();
    if (below(2) == 0) alert.severity = "critical";
    alert.resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web"};
    history.observe(alert);
  }

  void change_pattern(History& history) {
    std::vector<Pattern> patterns = history.patterns();
    Pattern& pattern = patterns[random_() % patterns.size()];
    pattern.active = !pattern.active || pattern.pattern_type == PatternType::scale_oscillation;
    history.put_pattern(pattern);
  }

  void resolve(History& history) {
    const auto open = history.detections({.unresolved = true});
    if (!open.empty()) history.resolve(open.front().detection_id, {.method = "manual-intervention"});
  }

  std::mt19937 random_;
  FixedClock clock_;
  std::string uri_;
  History ours_, theirs_;
  std::vector<std::string> ids_;
  int next_ = 0;
};

}  // namespace

TEST_CASE("what is remembered decides as what is stored", "[postgres][guard]") {
  const unsigned seed = GENERATE(1, 2);
  INFO("seed " << seed);
  Neighbours run(seed);
  for (int i = 0; i < effort(400); ++i) run.step();
  if (effort(400) < 400) return;
  CHECK(run.allowed > 20);
  CHECK(run.refused > 20);
}

TEST_CASE("what is remembered of a scope keeps what acts however much only reads", "[postgres][guard]") {
  using namespace actionhist::postgres;
  constexpr std::size_t most = 8;
  GuardCache cache;
  const std::string web = "resource:web";
  const auto action_at = [](int minute, Effect effect) {
    Trace trace;
    static_cast<Action&>(trace) = restart(fmt::format("{:03}", minute), noon + std::chrono::minutes(minute));
    trace.effect = effect;
    return RecentTrace(std::move(trace));
  };
  cache.put(web, {.now = noon, .window = 24h});
  const auto expect = [&](int minute, Effect effect) {
    Premise premise{{web}, {}, most};
    premise.heads.add({ScopeKind::resource, "web"}, minute);
    premise.action = action_at(minute, effect);
    cache.expect(premise);
  };
  for (int minute = 0; minute < 100; ++minute)
    expect(minute, minute == 3 || minute == 5 || minute == 97 ? Effect::mutating : Effect::read_only);
  const auto kept = cache.find(web);
  REQUIRE(kept);
  CHECK(kept->recent.size() < 3 * most);

  GuardQuestion question{.action_id = "next", .scopes = {{ScopeKind::resource, "web"}}, .now = noon + 100min};
  question.window = 2h;
  question.max_traces = most;
  question.busy_actions = 1000;
  auto watch = std::make_shared<Watch>();
  watch->since = noon - 24h;
  const auto view = view_of({kept}, watch, question);
  REQUIRE(view);
  std::vector<std::string> ids;
  for (const RecentTrace& trace : view->recent.front()) ids.push_back(trace.action_id());
  CHECK(ids ==
        std::vector<std::string>{"003", "005", "092", "093", "094", "095", "096", "097", "098", "099"});
}
