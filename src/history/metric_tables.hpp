// The scores of periods by scope and type, as metrics are made of them: an hour's from its actions, those of longer
// periods from their hours or days. Belongs to one thread, for as long as one refresh.
#pragma once

#include <map>
#include <utility>

#include "analysis/metrics.hpp"

namespace actionhist {

class MetricTables {
 public:
  // `store` must outlive the tables.
  explicit MetricTables(MetricStore& store) : store_(store) {}

  // As it was stored or made last. What is returned stays while no table of the same length is made that begins
  // a month later.
  const MetricTable& of(MetricPeriod period, TimePoint start);
  // Made anew. REQUIRES: the tables of its parts are as they should be.
  const MetricTable& make(MetricPeriod period, TimePoint start);

 private:
  const MetricTable& keep(MetricPeriod period, TimePoint start, MetricTable table);
  MetricTable joined(MetricPeriod period, TimePoint start);

  MetricStore& store_;
  std::map<std::pair<MetricPeriod, TimePoint>, MetricTable> tables_;
};

}  // namespace actionhist
