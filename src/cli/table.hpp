// A table for people: columns as wide as their content, and together no wider than the terminal.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace actionhist::cli {

class Table {
 public:
  struct Column {
    std::string name;
    enum Kind { text, number, flexible } kind = text;  // a flexible one gives way when room is short
  };

  explicit Table(std::vector<Column> columns);

  // REQUIRES: one cell a column.
  void add(std::vector<std::string> cells);

  bool empty() const noexcept { return rows_.size() == 1; }

  // Prints the heading and the rows, on lines of at most `width` columns.
  void print(std::optional<std::size_t> width) const;

 private:
  std::vector<std::size_t> widths(std::optional<std::size_t> width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;  // the heading first
};

}  // namespace actionhist::cli
