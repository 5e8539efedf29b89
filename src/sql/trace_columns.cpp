#include "sql/trace_columns.hpp"

#include "core/trace_fields.hpp"

namespace actionhist::sql {
namespace {

void append(std::string& list, std::string_view item) {
  if (!list.empty()) list += ", ";
  list += item;
}

}  // namespace

const std::string& trace_columns() {
  static const std::string text = [] {
    std::string list;
    visit_columns(Trace{}, [&](std::string_view name, const auto&) { append(list, name); });
    return list;
  }();
  return text;
}

const std::string& outcome_assignments() {
  static const std::string text = [] {
    std::string list;
    visit_outcome(Outcome{},
                  [&](std::string_view name, const auto&) { append(list, std::string(name) + " = ?"); });
    return list;
  }();
  return text;
}

}  // namespace actionhist::sql
