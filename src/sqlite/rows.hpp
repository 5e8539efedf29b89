// Rows as they come from SQLite.
#pragma once

#include <vector>

#include "sql/resource_rows.hpp"
#include "sqlite/connection.hpp"

namespace actionhist::sqlite {

// What `read` makes of each row.
template <class Read>
auto read_rows(Query& query, Read&& read) {
  std::vector<decltype(read(query))> rows;
  while (query.step()) rows.push_back(read(query));
  return rows;
}

// REQUIRES: the next columns are those of sql::trace_columns().
inline Trace read_trace(Query& query) {
  Trace trace;
  visit_columns(trace, [&](std::string_view, auto& member) { query.read(member); });
  return trace;
}

inline std::vector<Trace> read_traces(Query& query) { return read_rows(query, read_trace); }

// The columns of sql::visit_reference().
inline Query& bind_reference(Query& query, const Resource& resource) {
  sql::visit_reference(resource, [&](const std::string& text) { query.bind_text(text); });
  return query;
}

}  // namespace actionhist::sqlite
