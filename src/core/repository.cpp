#include <actionhist/repository.hpp>

#include <algorithm>

#include <actionhist/error.hpp>

namespace actionhist {

std::vector<Tally> LearningStore::tally(const TallyQuery&) { return {}; }

void LearningStore::put(const OverrideRecord&) {
  throw Error(ErrorCode::unsupported, "override: this engine keeps none");
}

std::vector<OverrideRecord> LearningStore::overrides(TimePoint, TimePoint, int) { return {}; }

GuardPolicy LearningStore::guard_policy(std::string_view) { return {}; }

void LearningStore::set_guard_policy(std::string_view, const GuardPolicy&, TimePoint) {
  throw Error(ErrorCode::unsupported, "policy: this engine keeps none");
}

std::vector<Detection> LearningStore::unsettled(TimePoint, int) { return {}; }

void LearningStore::refresh_pattern_rates() {}

std::vector<Trace> LearningStore::lease_assessments(std::string_view, TimePoint, TimePoint, int) {
  return {};
}

std::string_view to_string(Duty duty) noexcept { return duty == Duty::upkeep ? "upkeep" : "metrics"; }
bool LearningStore::lease(Duty, std::string_view, TimePoint, TimePoint) { return true; }
std::vector<DueAnalysis> LearningStore::lease_analyses(TimePoint, TimePoint, TimePoint, int) { return {}; }
void LearningStore::analysed(const DueAnalysis&, TimePoint) {}

void MetricStore::mark_scored(std::span<const TimePoint>) {}
void MetricStore::mark_all_scored() {}
std::vector<ScoredHour> MetricStore::scored_hours(int) { return {}; }
void MetricStore::forget(std::span<const ScoredHour>) {}
std::vector<ScoredAction> MetricStore::scores(TimePoint, TimePoint) { return {}; }
void MetricStore::replace(MetricPeriod, TimePoint, std::span<const KeptMetric>) {}
std::vector<KeptMetric> MetricStore::kept(MetricPeriod, TimePoint) { return {}; }
std::vector<EffectivenessMetric> MetricStore::metrics(const MetricQuery&) { return {}; }

std::optional<Detection> PatternStore::detection(std::string_view detection_id) {
  for (Detection& each : detections({}, TimePoint{}, TimePoint::max(), 1'000'000)) {
    if (each.detection_id == detection_id) return std::move(each);
  }
  return std::nullopt;
}

LearningStore& Repository::learning() {
  static LearningStore store;
  return store;
}

MetricStore& Repository::metrics() {
  static MetricStore store;
  return store;
}

ItemStore& Repository::items() { throw Error(ErrorCode::unsupported, "items: this engine keeps none"); }

CheckpointStore& Repository::checkpoints() {
  throw Error(ErrorCode::unsupported, "checkpoints: this engine keeps none");
}

bool GuardQuestion::busy(const Scope& scope, std::span<const RecentTrace> recent) const {
  if (scope.kind != ScopeKind::resource) return false;
  const auto lately = std::ranges::lower_bound(recent, now - busy_span, {}, &RecentTrace::time);
  return recent.end() - lately >= busy_actions;
}

GuardView Repository::guard_view(const GuardQuestion& question, bool lock) {
  GuardView view;
  if (lock) actions().lock(question.scopes);
  view.stored = actions().get(question.action_id);
  if (view.stored || question.scopes.empty()) return view;
  view.patterns = SharedRows(patterns().patterns());
  view.in_force = patterns().in_force(question.scopes, question.now);
  view.alerts = SharedRows(resources().alerts(question.now - question.alerts, question.now));
  for (const Scope& scope : question.scopes) {
    if (scope.kind == ScopeKind::resource) view.policy = learning().guard_policy(scope.key);
    const auto since = [&](std::chrono::microseconds span) {
      return SharedRows(recent_traces(actions().recent(
          scope, question.now - span, question.now + std::chrono::minutes(5), question.max_traces)));
    };
    SharedRows<RecentTrace>& recent = view.recent.emplace_back(since(question.window));
    if (question.busy(scope, recent)) recent = since(question.baseline);
  }
  const bool acted = std::ranges::any_of(view.recent, [](const auto& traces) { return !traces.empty(); });
  if (!view.alerts.empty() && acted) {
    view.alerts = SharedRows(resources().alerts(question.now - question.baseline, question.now));
  }
  return view;
}

}  // namespace actionhist
