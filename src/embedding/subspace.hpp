// The directions in which the rows of a sparse matrix vary most: its leading right singular vectors, by subspace
// iteration from a random start (Halko, Martinsson, Tropp 2011). Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace actionhist {

struct SparseMatrix {
  struct Entry {
    std::uint32_t column;
    float value;
  };
  std::vector<Entry> entries;     // row by row
  std::vector<std::size_t> ends;  // of each row in `entries`
  std::size_t columns = 0;
};

// How often leading_directions looks at each row.
constexpr std::int64_t passes = 9;

// columns × count floats, row by row, the strongest direction first; fewer if the matrix has fewer. Calls `passed` after
// each look at all rows.
std::vector<float> leading_directions(const SparseMatrix& matrix, std::size_t count, std::uint64_t seed,
                                      const std::function<void()>& passed = {});

}  // namespace actionhist
