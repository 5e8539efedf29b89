// A filter as an SQL condition. The engines differ in how they reach into JSON; all else is shared.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include <actionhist/json.hpp>

namespace actionhist::sql {

// Text with one ? for each parameter, in order. Values never stand in the text.
struct Condition {
  std::string text;  // "1" matches everything
  std::vector<std::variant<double, std::string>> parameters;
};

// The condition of a filter on resource_action_traces, in SQLite's dialect. It is never NULL: a field that
// is missing makes a comparison false, so its negation true.
// Throws Error: invalid_argument as resolve_where does.
Condition condition(const Json& where);

}  // namespace actionhist::sql
