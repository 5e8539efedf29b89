// Traces as they come from SQLite.
#pragma once

#include <vector>

#include "core/trace_fields.hpp"
#include "sqlite/connection.hpp"

namespace actionhist::sqlite {

// REQUIRES: the next columns are those of sql::trace_columns().
inline Trace read_trace(Query& query) {
  Trace trace;
  visit_columns(trace, [&](std::string_view, auto& member) { query.read(member); });
  return trace;
}

inline std::vector<Trace> read_traces(Query& query) {
  std::vector<Trace> traces;
  while (query.step()) traces.push_back(read_trace(query));
  return traces;
}

}  // namespace actionhist::sqlite
