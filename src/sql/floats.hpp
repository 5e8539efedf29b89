// Vectors as the bytes of a column.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::sql {

// Throws Error: corrupt, for bytes that are no whole number of floats.
inline std::vector<float> floats_of(std::span<const std::byte> bytes) {
  if (bytes.size() % sizeof(float) != 0) {
    throw Error(ErrorCode::corrupt,
                fmt::format("vector: {} bytes are no numbers; restore the database", bytes.size()));
  }
  std::vector<float> floats(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(floats.data(), bytes.data(), bytes.size());
  return floats;
}

}  // namespace actionhist::sql
