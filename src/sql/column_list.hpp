// The columns of a table as statements name them. May be used from any thread.
#pragma once

#include <string>
#include <string_view>

namespace actionhist::sql {

// "a, b": `visit` is called with a visitor of names and values, as the visit_… functions take one.
template <class Visit>
std::string column_list(Visit visit) {
  std::string list;
  visit([&](std::string_view name, const auto&) { list.append(list.empty() ? "" : ", ").append(name); });
  return list;
}

// "a = excluded.a, b = excluded.b": what an upsert changes of a row that is there.
template <class Visit>
std::string excluded_assignments(Visit visit) {
  std::string list;
  visit([&](std::string_view name, const auto&) {
    list.append(list.empty() ? "" : ", ").append(name).append(" = excluded.").append(name);
  });
  return list;
}

}  // namespace actionhist::sql
