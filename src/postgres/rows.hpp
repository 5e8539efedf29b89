// Traces, detections and patterns as they come from the server.
#pragma once

#include <vector>

#include "core/trace_fields.hpp"
#include "postgres/result.hpp"

namespace actionhist::postgres {

// REQUIRES: the result's columns are those of sql::trace_columns(), perhaps with more behind them.
inline std::vector<Trace> read_traces(const Result& result) {
  std::vector<Trace> traces;
  traces.reserve(static_cast<std::size_t>(result.rows()));
  Reader reader(result);
  while (reader.next()) {
    Trace& trace = traces.emplace_back();
    visit_columns(trace, [&](std::string_view, auto& member) { reader.read(member); });
  }
  return traces;
}

}  // namespace actionhist::postgres
