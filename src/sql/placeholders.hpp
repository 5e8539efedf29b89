// The parameters of a statement as text, from a list of columns such as "pattern_id, pattern_type, …". Pure
// functions.
#pragma once

#include <string>
#include <string_view>

#include "sql/filter_sql.hpp"

namespace actionhist::sql {

// "?, ?, …", one for each column; "$3, $4, …" for PostgreSQL, where the first has the number `first`.
std::string placeholders(std::string_view columns, Dialect dialect, int first = 1);

// "INSERT INTO table (tenant_id, columns) VALUES (?, ?, …)".
std::string insert_into(std::string_view table, std::string_view columns, Dialect dialect);

}  // namespace actionhist::sql
