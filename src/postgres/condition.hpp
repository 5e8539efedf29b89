// Adds the parameters of a filter that src/sql has turned into a condition.
#pragma once

#include "postgres/parameters.hpp"
#include "sql/filter_sql.hpp"

namespace actionhist::postgres {

inline void add(Parameters& parameters, const sql::Condition& condition) {
  for (const auto& parameter : condition.parameters) {
    if (const auto* text = std::get_if<std::string>(&parameter)) {
      parameters.add_text(*text);
    } else if (const auto* time = std::get_if<TimePoint>(&parameter)) {
      parameters.add(*time);
    } else if (const auto* integer = std::get_if<std::int64_t>(&parameter)) {
      parameters.add(*integer);
    } else {
      parameters.add(std::get<double>(parameter));
    }
  }
}

}  // namespace actionhist::postgres
