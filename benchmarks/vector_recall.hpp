// How many of the true nearest an index finds, and how fast.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "vector_peers.hpp"
#include "vector_sets.hpp"

namespace actionhist::benchmark {

using Steady = std::chrono::steady_clock;
using Truth = std::vector<std::vector<std::uint32_t>>;  // of each query
using Passes = std::function<bool(std::uint32_t)>;

constexpr std::size_t nearest_wanted = 10;

struct Point {
  double recall = 0;
  double rate = 0;  // queries a second of this thread's processor time, which other programs change less
  std::size_t fewest = 0;  // answers of a query to which ten or more were owed
};

double seconds_since(Steady::time_point begin);

// Asks the first `limit` queries at the width that is set.
Point measure(VectorPeer& peer, const VectorSet& queries, const Truth& truth, const Passes& passes = {},
              std::size_t limit = 1'000'000);

// The narrowest width of those tried that reaches the recall, and leaves it set.
std::optional<std::size_t> width_for(VectorPeer& peer, const VectorSet& queries, const Truth& truth,
                                     const Passes& passes, double recall, std::size_t limit = 1'000'000);

}  // namespace actionhist::benchmark
