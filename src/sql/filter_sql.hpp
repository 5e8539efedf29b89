// A filter as an SQL condition. The engines differ in how they reach into JSON; all else is shared.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <actionhist/json.hpp>
#include <actionhist/time.hpp>

namespace actionhist::sql {

enum class Dialect { sqlite, postgresql };

// Text with a parameter for each value, in order. Values never stand in the text.
struct Condition {
  std::string text;
  std::vector<std::variant<double, std::int64_t, TimePoint, std::string>> parameters;
};

// The condition of a filter on resource_action_traces. A field that is missing makes a comparison false, so
// its negation true. PostgreSQL's parameters are numbered from `first_parameter`; SQLite's are all "?".
// Throws Error: invalid_argument as resolve_where does.
Condition condition(const Json& where, Dialect dialect = Dialect::sqlite, int first_parameter = 1);

}  // namespace actionhist::sql
