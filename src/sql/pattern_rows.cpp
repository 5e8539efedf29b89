#include "sql/pattern_rows.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace actionhist::sql {
namespace {

struct Names {
  std::string list;
  template <class Value>
  void operator()(std::string_view name, const Value&) {
    if (!list.empty()) list += ", ";
    list += name;
  }
};

}  // namespace

const std::string& pattern_columns() {
  static const std::string text = [] {
    Names names;
    visit_pattern({}, names);
    return names.list;
  }();
  return text;
}

const std::string& detection_columns() {
  static const std::string text = [] {
    Names names;
    visit_detection({}, names);
    return names.list;
  }();
  return text;
}

const std::string& pattern_assignments() {
  static const std::string text = [] {
    std::string list;
    visit_pattern({}, [&](std::string_view name, const auto&) {
      constexpr std::array kept = {"pattern_id",          "total_detections",  "prevention_success_rate",
                                   "false_positive_rate", "last_detection_at", "created_at"};
      if (std::ranges::find(kept, name) != kept.end()) return;
      list += fmt::format("{}{} = excluded.{}", list.empty() ? "" : ", ", name, name);
    });
    return list;
  }();
  return text;
}

const std::string& detection_assignments() {
  static const std::string text = [] {
    std::string list;
    for (const std::string_view name :
         {"in_force_until", "refusals", "refused_ids", "resolved_at", "resolution_method", "resolution_notes",
          "false_positive", "shadow", "overrides", "prevention_details", "prevention_successful"}) {
      list += fmt::format("{}{} = excluded.{}", list.empty() ? "" : ", ", name, name);
    }
    return list;
  }();
  return text;
}

}  // namespace actionhist::sql
