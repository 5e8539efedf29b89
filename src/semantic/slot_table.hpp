// Finds slots by the hash of what they hold. Hashes of 32 bits meet, so the caller compares.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace actionhist {

class SlotTable {
 public:
  static constexpr std::uint32_t none = 0xffff'ffff;

  struct Entry {
    std::uint32_t hash = 0;
    std::uint32_t slot = none;
  };

  // The first slot of this hash for which same(slot) holds, or none.
  template <class Same>
  std::uint32_t find(std::uint32_t hash, Same&& same) const {
    if (entries_.empty()) return none;
    for (std::size_t at = hash & mask();; at = (at + 1) & mask()) {
      const Entry& entry = entries_[at];
      if (entry.slot == none || (entry.hash == hash && same(entry.slot))) return entry.slot;
    }
  }

  void insert(std::uint32_t hash, std::uint32_t slot) {
    if (2 * (used_ + 1) > entries_.size()) grow();
    place({hash, slot});
    ++used_;
  }

  std::span<const Entry> entries() const { return entries_; }
  void adopt(std::vector<Entry> entries, std::size_t used) {
    entries_ = std::move(entries);
    used_ = used;
  }
  std::size_t used() const { return used_; }
  std::size_t bytes() const { return entries_.capacity() * sizeof(Entry); }

 private:
  std::size_t mask() const { return entries_.size() - 1; }
  void place(const Entry& entry) {
    std::size_t at = entry.hash & mask();
    while (entries_[at].slot != none) at = (at + 1) & mask();
    entries_[at] = entry;
  }
  void grow() {
    std::vector<Entry> before = std::move(entries_);
    entries_.assign(before.empty() ? 64 : before.size() * 2, {});
    for (const Entry& entry : before) {
      if (entry.slot != none) place(entry);
    }
  }

  std::vector<Entry> entries_;  // a power of two of them, at most half used
  std::size_t used_ = 0;
};

}  // namespace actionhist
