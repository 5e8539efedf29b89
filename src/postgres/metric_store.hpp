// Metrics of effectiveness in PostgreSQL. Thread rule and contracts: the interface.
#pragma once

#include <actionhist/metric_store.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

class PostgresMetricStore final : public MetricStore {
 public:
  explicit PostgresMetricStore(Engine& engine) : engine_(engine) {}

  void mark_scored(std::span<const TimePoint> times) override;
  void mark_all_scored() override;
  std::vector<ScoredHour> scored_hours(int limit) override;
  void forget(std::span<const ScoredHour> hours) override;
  std::vector<ScoredAction> scores(TimePoint since, TimePoint until) override;
  void replace(MetricPeriod period, TimePoint start, std::span<const KeptMetric> metrics) override;
  std::vector<KeptMetric> kept(MetricPeriod period, TimePoint start) override;
  std::vector<EffectivenessMetric> metrics(const MetricQuery& query) override;

 private:
  Engine& engine_;
};

}  // namespace actionhist::postgres
