// Names for what never changes and has a file of its own. Usable from any thread.
#pragma once

#include <cstdint>
#include <random>

namespace actionhist {

// Drawn, not counted: processes that share a folder must not give two things one name.
inline std::uint64_t drawn_id() {
  std::random_device source;
  return std::uint64_t{source()} << 32 | source();
}

}  // namespace actionhist
