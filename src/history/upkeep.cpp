// What has to be done from time to time: resources are analysed, detections settled, metrics brought up to date.
#include <actionhist/upkeep.hpp>

#include "core/json_fields.hpp"
#include "history/state.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

// A resource is not analysed more often than this, and only while something happens to it.
constexpr auto analysis_interval = 15min;
constexpr auto analysis_lease = 5min;
constexpr auto active_span = 24h;
// What one turn deals with; the rest is due again at the next.
constexpr int most_resources = 1000;
constexpr int most_detections = 1000;

}  // namespace

Analysis History::State::analyse(int limit) {
  Router::Call call(router, UseCase::oscillation_detection);
  Analysis done;
  LearningStore& learning = repository->learning();
  const TimePoint begin = now();
  for (const DueAnalysis& due :
       learning.lease_analyses(begin, begin + analysis_lease, begin - active_span, limit)) {
    const TimePoint as_of = now();
    const std::vector<Detection> found = guard.analyse(due.resource_id, as_of);
    learning.analysed(due, as_of + analysis_interval);
    ++done.resources;
    done.detections += static_cast<std::int64_t>(found.size());
    notify(found);
  }
  return done;
}

Upkeep History::State::upkeep() {
  Upkeep done;
  done.analysis = analyse(most_resources);
  done.settlement = settle(most_detections);
  done.metrics = try_refresh_metrics().value_or(MetricRefresh{});
  return done;
}

Analysis History::analyse(int limit) {
  State& state = alive(state_);
  require_between("limit", limit, 1, 10'000);
  return state.analyse(limit);
}

Upkeep History::upkeep() { return alive(state_).upkeep(); }

std::string to_json(const Analysis& analysis) {
  JsonWriter writer;
  writer.begin_object();
  FieldWriter put(writer);
  put("resources", analysis.resources);
  put("detections", analysis.detections);
  return writer.end_object().take();
}

std::string to_json(const Upkeep& upkeep) {
  JsonWriter writer;
  writer.begin_object();
  writer.key("analysis").raw(to_json(upkeep.analysis));
  writer.key("settlement").raw(to_json(upkeep.settlement));
  writer.key("metrics").raw(to_json(upkeep.metrics));
  return writer.end_object().take();
}

}  // namespace actionhist
