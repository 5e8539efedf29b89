#include "sql/pattern_rows.hpp"

#include <algorithm>
#include <array>

#include "sql/column_list.hpp"

namespace actionhist::sql {

const std::string& pattern_columns() {
  static const std::string text = column_list([](auto visit) { visit_pattern({}, visit); });
  return text;
}

const std::string& detection_columns() {
  static const std::string text = column_list([](auto visit) { visit_detection({}, visit); });
  return text;
}

const std::string& pattern_assignments() {
  static constexpr std::array kept = {"pattern_id",          "total_detections",  "prevention_success_rate",
                                      "false_positive_rate", "last_detection_at", "created_at"};
  static const std::string text = excluded_assignments([](auto visit) {
    visit_pattern({}, [&](std::string_view name, const auto& value) {
      if (std::ranges::find(kept, name) == kept.end()) visit(name, value);
    });
  });
  return text;
}

const std::string& detection_assignments() {
  static const std::string text = excluded_assignments([](auto visit) {
    for (const std::string_view name :
         {"in_force_until", "refusals", "refused_ids", "resolved_at", "resolution_method", "resolution_notes",
          "false_positive", "shadow", "overrides", "prevention_details", "prevention_successful"})
      visit(name, 0);
  });
  return text;
}

}  // namespace actionhist::sql
