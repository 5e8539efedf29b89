// Lists of texts as JSON arrays in one column.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace actionhist::sql {

std::string write_list(std::span<const std::string> items);

// REQUIRES: text that write_list made.
std::vector<std::string> read_list(const std::string& text);

}  // namespace actionhist::sql
