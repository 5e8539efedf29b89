#include "sql/cursor.hpp"

#include <charconv>

#include <fmt/format.h>

#include "core/refuse.hpp"

namespace actionhist::sql {

Cursor read_cursor(const std::string& text) {
  const auto slash = text.find('/');
  std::int64_t time = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), time);
  if (slash == text.npos || error != std::errc{} || end != text.data() + slash) {
    refuse("cursor", "is not one that history() gave");
  }
  return {TimePoint{std::chrono::microseconds{time}}, text.substr(slash + 1)};
}

std::string write_cursor(const Trace& last) {
  return fmt::format("{}/{}", last.time().time_since_epoch().count(), last.action_id);
}

}  // namespace actionhist::sql
