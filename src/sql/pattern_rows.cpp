#include "sql/pattern_rows.hpp"

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
      if (name == "pattern_id" || name == "total_detections" || name == "last_detection_at") return;
      list += fmt::format("{}{} = excluded.{}", list.empty() ? "" : ", ", name, name);
    });
    return list;
  }();
  return text;
}

}  // namespace actionhist::sql
