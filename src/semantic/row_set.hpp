// Which rows have one value: their numbers while they are few, a bitmap when they are many, so that a value
// never costs more than four bytes a row that has it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "semantic/bitmap.hpp"

namespace actionhist {

class RowSet {
 public:
  // `rows`: how many there are, with this value or another.
  void add(std::uint32_t row, std::size_t rows) {
    if (many_.size() > 0) {
      if (many_.size() <= row) many_.resize(row + std::size_t{1});
      many_.set(row);
      return;
    }
    // Rows mostly come in order.
    if (few_.empty() || few_.back() < row) {
      few_.push_back(row);
    } else {
      few_.insert(std::lower_bound(few_.begin(), few_.end(), row), row);
    }
    if (few_.size() * 32 <= rows || few_.size() < 32) return;
    many_.resize(few_.back() + std::size_t{1});
    for (const std::uint32_t one : few_) many_.set(one);
    few_ = {};
  }

  void remove(std::uint32_t row) {
    if (row < many_.size()) many_.reset(row);
    const auto at = std::lower_bound(few_.begin(), few_.end(), row);
    if (at != few_.end() && *at == row) few_.erase(at);
  }

  // Adds those below out.size() to `out`.
  void add_to(Bitmap& out) const {
    for (const std::uint32_t row : few_) {
      if (row < out.size()) out.set(row);
    }
    if (many_.size() > 0) out |= many_;
  }

  std::size_t bytes() const {
    return few_.capacity() * sizeof(std::uint32_t) + many_.bytes() + sizeof(*this);
  }

 private:
  std::vector<std::uint32_t> few_;  // ascending
  Bitmap many_;                     // empty while there are few
};

}  // namespace actionhist
