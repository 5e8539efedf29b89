#include "cli/table.hpp"

#include <algorithm>
#include <numeric>

#include "cli/terminal.hpp"

namespace actionhist::cli {
namespace {

constexpr std::size_t gap = 2;
// A column is not made narrower than this: then the lines are too long instead.
constexpr std::size_t least_width = 8;

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  std::vector<std::string> heading;
  for (const Column& column : columns_) heading.push_back(column.name);
  add(std::move(heading));
}

void Table::add(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = printable(cell);
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(std::optional<std::size_t> width) const {
  std::vector<std::size_t> widths(columns_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  if (!width) return widths;
  std::size_t total = std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
  while (total > *width) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (columns_[i].kind != Column::flexible || widths[i] <= least_width) continue;
      if (widest == nullptr || widths[i] > *widest) widest = &widths[i];
    }
    if (widest == nullptr) break;
    --*widest;
    --total;
  }
  return widths;
}

void Table::print(std::optional<std::size_t> width) const {
  const std::vector<std::size_t> room = widths(width);
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string cell = shortened(row[i], room[i]);
      const std::string padding(room[i] - display_width(cell), ' ');
      if (i > 0) line.append(gap, ' ');
      line += columns_[i].kind == Column::number ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    print_line(line);
  }
}

}  // namespace actionhist::cli
