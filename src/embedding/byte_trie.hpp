// Finds every key that a text begins with, in one walk. Built once, then read from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace actionhist {

class ByteTrie {
 public:
  ByteTrie() : slots_(64), values_(1, none) {}

  // A key that is there already keeps its first value.
  // Throws Error: invalid_argument when all keys together exceed 16 million bytes.
  void insert(std::string_view key, std::uint32_t value);

  // Calls found(length, value) for each key that `text` begins with, the shortest first; not for an empty one.
  template <class Found>
  void prefixes(std::string_view text, Found&& found) const {
    std::uint32_t node = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      node = child(node, static_cast<unsigned char>(text[i]));
      if (node == 0) return;
      if (values_[node] != none) found(i + 1, values_[node]);
    }
  }

  // The length and value of the longest such key; length 0 if there is none.
  std::pair<std::size_t, std::uint32_t> longest(std::string_view text) const {
    std::pair<std::size_t, std::uint32_t> best{0, none};
    prefixes(text, [&](std::size_t length, std::uint32_t value) { best = {length, value}; });
    return best;
  }

  // The value of exactly this key.
  std::optional<std::uint32_t> find(std::string_view key) const {
    const auto [length, value] = longest(key);
    return length == key.size() && length > 0 ? std::optional(value) : std::nullopt;
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  // An edge of the tree: its key is node << 8 | byte. No edge leads to the root, so child 0 marks a free slot.
  struct Slot {
    std::uint32_t edge = 0;
    std::uint32_t child = 0;
  };

  static std::uint32_t mixed(std::uint32_t edge) { return (edge * 0x9e3779b1U) ^ (edge >> 15); }

  std::uint32_t child(std::uint32_t node, unsigned char byte) const {
    const std::uint32_t edge = node << 8 | byte;
    const auto mask = static_cast<std::uint32_t>(slots_.size() - 1);
    for (std::uint32_t at = mixed(edge) & mask;; at = (at + 1) & mask) {
      if (slots_[at].child == 0 || slots_[at].edge == edge) return slots_[at].child;
    }
  }

  void put(Slot slot);

  std::vector<Slot> slots_;            // a hash table, at most half full
  std::vector<std::uint32_t> values_;  // one a node, `none` where no key ends
};

}  // namespace actionhist
