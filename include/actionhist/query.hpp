// Which traces to return. One filter language serves history() and similar().
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <actionhist/action.hpp>

namespace actionhist {

// A filter is a JSON object: {"alert_severity": "critical", "action_parameters.replicas": {"$gt": 3}}.
// Operators: $eq $ne $in $nin $gt $gte $lt $lte $exists $and $or $not. Fields are the columns of a trace,
// `kind`, `namespace`, `name`, `cluster`, and paths into its JSON columns. Values compare by JSON type: a number never
// equals text. Integers of 64 bits compare to their last digit (SQLite: those below 2^63; larger ones as doubles). $ne
// and $not also match rows that lack the field. Times are RFC 3339.
struct ActionQuery {
  Resource resource;  // every part that is not empty must match
  std::string correlation_id;
  std::optional<TimePoint> since;  // inclusive
  std::optional<TimePoint> until;  // exclusive
  Json where;
  int limit = 50;      // 1 to 10,000
  std::string cursor;  // Page::next of the page before
};

// Newest first; equal times by descending id, so that pages never repeat or skip a row.
struct Page {
  std::vector<Trace> traces;
  std::string next;  // empty on the last page
};

}  // namespace actionhist
