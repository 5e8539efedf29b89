#include <actionhist/history.hpp>

#include <unordered_map>

#include "core/refuse.hpp"
#include "history/known_resource.hpp"
#include "history/state.hpp"

namespace actionhist {

History::History(std::unique_ptr<Repository> repository, Options options)
    : state_(std::make_unique<State>(std::move(repository), std::move(options))) {}

History::~History() {
  // The child leaks what belongs to its parent.
  if (state_ && state_->process.inherited()) static_cast<void>(state_.release());
}

History::History(History&&) noexcept = default;

History& History::operator=(History&& other) noexcept {
  History taken(std::move(other));
  std::swap(state_, taken.state_);
  return *this;
}

std::optional<Trace> History::get(std::string_view action_id) {
  return alive(state_).repository->actions().get(action_id);
}

Page History::history(const ActionQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, query.since || query.until ? UseCase::time_series_analysis
                                                             : UseCase::compliance_reporting);
  ActionQuery wanted = query;
  wanted.resource = asked_resource(query.resource);
  return state.repository->actions().find(wanted);
}

std::vector<Summary> History::summaries(std::optional<TimePoint> changed_since, int limit) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::effectiveness_metrics);
  require_between("limit", limit, 1, 1'000'000);
  const TimePoint now = state.now();
  std::vector<Summary> summaries = state.repository->actions().summaries(changed_since, now, limit);
  std::unordered_map<std::string_view, Summary*> by_resource;
  for (Summary& summary : summaries) by_resource.emplace(summary.resource_id, &summary);
  for (const Detection& detection : state.repository->patterns().in_force({}, now)) {
    for (const std::string& resource : detection.resources) {
      const auto listed = by_resource.find(resource);
      if (listed == by_resource.end()) continue;
      listed->second->active_patterns.push_back(
          {detection.pattern_type, detection.severity, detection.as_of});
    }
  }
  return summaries;
}

Health History::health() {
  State& state = alive(state_);
  Health health;
  const auto index = state.slot.get();
  health.index_on = index != nullptr;
  health.routes = state.router.stats();
  health.webhooks = state.webhooks.stats();
  if (state.upkeep_) health.upkeep_error = state.upkeep_->error();
  if (index) {
    health.space_id = index->space_id;
    health.index_error = index->error();
    health.replica_seq = index->replica->seq();
    health.index = index->replica->index().stats();
  }
  try {
    health.engine = state.repository->maintenance().info();
    health.feed = state.repository->feed().head();
    health.ready = true;
  } catch (const Error& error) {
    health.error = error.what();
  }
  if (health.feed.oldest_queued_at) {
    const auto lag = std::max(state.now() - *health.feed.oldest_queued_at, std::chrono::microseconds{0});
    health.lag_seconds = std::chrono::duration<double>(lag).count();
  }
  return health;
}

Items History::items() {
  State& state = alive(state_);
  return Items(*state.repository, state.slot.own_model(), state.options.clock, state.options.read_only,
               &state.redactor);
}

Checkpoints History::checkpoints() {
  State& state = alive(state_);
  return Checkpoints(*state.repository, state.options.clock);
}

Repository& History::repository() { return *alive(state_).repository; }

}  // namespace actionhist
