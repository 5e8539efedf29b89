// What actionhist.h declares of effectiveness.
#include "operate.hpp"
#include "request.hpp"

using namespace actionhist;
using namespace actionhist::capi;

ACTIONHIST_OPERATION(metrics) { return array_of(history.metrics(parse_metric_query(or_empty(text)))); }

ACTIONHIST_OPERATION(refresh_metrics) {
  Request request(text);
  bool full = false;
  request.read("full", full);
  request.done();
  return to_json(history.refresh_metrics(full));
}

ACTIONHIST_OPERATION(lease_assessments) {
  Request request(text);
  const std::string worker = request.required_text("worker");
  int limit = 10;
  request.read("limit", limit);
  std::int64_t lease_seconds = 60;
  request.read("lease_seconds", lease_seconds);
  request.done();
  return array_of(history.lease_assessments(worker, limit, std::chrono::seconds(lease_seconds)));
}
