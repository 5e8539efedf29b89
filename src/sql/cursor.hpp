// The cursor of a page: "TIME/ID" of its last row.
#pragma once

#include <string>

#include <actionhist/action.hpp>

namespace actionhist::sql {

struct Cursor {
  TimePoint time{};
  std::string action_id;
};

// Throws Error: invalid_argument for text that write_cursor did not make.
Cursor read_cursor(const std::string& text);

std::string write_cursor(const Trace& last);

}  // namespace actionhist::sql
