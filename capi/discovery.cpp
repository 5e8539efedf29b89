// What actionhist.h declares of what nobody asked for by name.
#include "operate.hpp"
#include "request.hpp"

using namespace actionhist;
using namespace actionhist::capi;

ACTIONHIST_OPERATION(anomalies) { return to_json(history.anomalies(parse_anomaly_query(or_empty(text)))); }

ACTIONHIST_OPERATION(clusters) { return to_json(history.clusters(parse_cluster_query(or_empty(text)))); }

ACTIONHIST_OPERATION(duplicates) {
  return array_of(history.duplicates(parse_duplicate_query(or_empty(text))));
}

ACTIONHIST_OPERATION(projection) {
  return to_json(history.projection(parse_projection_query(or_empty(text))));
}
