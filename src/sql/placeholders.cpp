#include "sql/placeholders.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace actionhist::sql {

std::string placeholders(std::string_view columns, Dialect dialect, int first) {
  const auto count = 1 + static_cast<int>(std::ranges::count(columns, ','));
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += dialect == Dialect::sqlite ? "?" : fmt::format("${}", first + i);
  }
  return text;
}

std::string insert_into(std::string_view table, std::string_view columns, Dialect dialect) {
  const std::string all = fmt::format("tenant_id, {}", columns);
  return fmt::format("INSERT INTO {} ({}) VALUES ({})", table, all, placeholders(all, dialect));
}

}  // namespace actionhist::sql
