// Scans many slots for the nearest without comparing most of their codes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "semantic/vectors.hpp"
#include "semantic/walk.hpp"

namespace actionhist {

// About the `count` nearest of the slots by code, nearest first. Codes are compared from the fewest differing
// signs on. How the distance grows with the signs depends on the model, the filter and where the query lies, so
// each scan fits a line to what it has compared, and ends where by that line nothing nearer is to be expected.
// REQUIRES: the slots have signs, and count is at least 1.
std::vector<Neighbour> sign_scan(const Vectors& vectors, const Vectors::Query& query,
                                 std::span<const std::uint32_t> slots, std::size_t count);

}  // namespace actionhist
