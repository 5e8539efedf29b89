#include "sql/metric_rows.hpp"

#include "sql/column_list.hpp"

namespace actionhist::sql {

const std::string& metric_columns() {
  static const std::string text = column_list([](auto visit) { visit_metric({}, visit); });
  return text;
}

}  // namespace actionhist::sql
