#include "sql/metric_rows.hpp"

namespace actionhist::sql {

const std::string& metric_columns() {
  static const std::string text = [] {
    std::string list;
    visit_metric({}, [&](std::string_view name, const auto&) {
      if (!list.empty()) list += ", ";
      list += name;
    });
    return list;
  }();
  return text;
}

}  // namespace actionhist::sql
