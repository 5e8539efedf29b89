// Binds the parameters of a filter that src/sql has turned into a condition.
#pragma once

#include "sql/filter_sql.hpp"
#include "sqlite/connection.hpp"

namespace actionhist::sqlite {

// The condition must live until the query is done.
inline void bind(Query& query, const sql::Condition& condition) {
  for (const auto& parameter : condition.parameters) {
    if (const auto* text = std::get_if<std::string>(&parameter)) {
      query.bind_text(*text);
    } else if (const auto* time = std::get_if<TimePoint>(&parameter)) {
      query.bind(*time);
    } else if (const auto* integer = std::get_if<std::int64_t>(&parameter)) {
      query.bind(*integer);
    } else {
      query.bind(std::get<double>(parameter));
    }
  }
}

}  // namespace actionhist::sqlite
