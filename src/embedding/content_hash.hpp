// Tells equal contents from others, inside one process and its files; not against an adversary.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actionhist {

struct ContentHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const ContentHash&) const = default;
};

// XXH3, 128 bits.
ContentHash content_hash(const void* data, std::size_t bytes);

}  // namespace actionhist
