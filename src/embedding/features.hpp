// What the lexical models see of a text: its terms, and the runs of 3 to 5 characters in each "<word>", as hashes.
// May be called from any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace actionhist {

struct Feature {
  std::uint64_t hash;  // XXH3, seed 0 for terms and 1 for runs
  std::uint32_t count;

  // Where the feature stands among `buckets`, and with which sign, so that collisions cancel out on average.
  std::size_t bucket(std::size_t buckets) const { return (hash >> 1) % buckets; }
  bool negative() const { return (hash & 1) != 0; }
};

// In the order in which they first came. Valid until the next call of this thread.
std::span<const Feature> features_of(std::string_view text);

}  // namespace actionhist
