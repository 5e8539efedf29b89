// What effectiveness metrics need of the storage: the scores, the metrics made of them, and what changed since.
// Thread rule and atomicity: as Repository says.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <actionhist/metrics.hpp>

namespace actionhist {

// An assessed action, as far as metrics need it.
struct ScoredAction {
  TimePoint time{};
  std::string action_type;
  std::string namespace_;
  std::string kind;
  std::string alert_name;
  std::string model;
  double score = 0;
};

// An hour whose scores changed since the metrics were computed.
struct ScoredHour {
  TimePoint hour{};
  std::int64_t version = 0;  // of the mark that was seen
};

// A metric with the bytes of which those of longer periods are made.
struct KeptMetric {
  EffectivenessMetric metric;
  std::string summary;
};

class MetricStore {
 public:
  virtual ~MetricStore() = default;

  // Notes that scores of these times came, changed or went, or that all may have.
  virtual void mark_scored(std::span<const TimePoint> times) = 0;
  virtual void mark_all_scored() = 0;
  // The marks of the oldest hours that have any, `limit` hours; an hour may have several. forget() leaves marks that
  // came meanwhile.
  virtual std::vector<ScoredHour> scored_hours(int limit) = 0;
  virtual void forget(std::span<const ScoredHour> hours) = 0;

  // The assessed actions of [since, until), by time and id.
  virtual std::vector<ScoredAction> scores(TimePoint since, TimePoint until) = 0;
  // Puts `metrics` in the place of all that are stored for the period.
  virtual void replace(MetricPeriod period, TimePoint start, std::span<const KeptMetric> metrics) = 0;
  // What replace() was given last; of each metric only scope, value and type. An empty summary: it was stored by
  // a version that kept none.
  virtual std::vector<KeptMetric> kept(MetricPeriod period, TimePoint start) = 0;
  // Newest period first, then by scope, value and type; without those of single resources.
  virtual std::vector<EffectivenessMetric> metrics(const MetricQuery& query) = 0;
};

}  // namespace actionhist
