#include "sql/trace_columns.hpp"

#include "core/trace_fields.hpp"
#include "sql/column_list.hpp"

namespace actionhist::sql {

const std::string& trace_columns() {
  static const std::string text = column_list([](auto visit) { visit_columns(Trace{}, visit); });
  return text;
}

const std::string& outcome_assignments() {
  static const std::string text = [] {
    std::string list;
    visit_outcome(Outcome{}, [&](std::string_view name, const auto&) {
      list.append(list.empty() ? "" : ", ").append(name).append(" = ?");
    });
    return list;
  }();
  return text;
}

}  // namespace actionhist::sql
