#include "embedding/byte_trie.hpp"

#include "core/refuse.hpp"

namespace actionhist {

void ByteTrie::insert(std::string_view key, std::uint32_t value) {
  constexpr std::size_t most_nodes = 1U << 24;  // what an edge's 32 bits can name
  std::uint32_t node = 0;
  for (const char c : key) {
    const auto byte = static_cast<unsigned char>(c);
    std::uint32_t next = child(node, byte);
    if (next == 0) {
      if (values_.size() == most_nodes) {
        refuse("vocabulary", "holds more than 16 million different bytes");
      }
      next = static_cast<std::uint32_t>(values_.size());
      values_.push_back(none);
      if (values_.size() * 2 > slots_.size()) {
        const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots_.size() * 2));
        for (const Slot& slot : old) {
          if (slot.child != 0) put(slot);
        }
      }
      put({node << 8 | byte, next});
    }
    node = next;
  }
  if (values_[node] == none) values_[node] = value;
}

void ByteTrie::put(Slot slot) {
  const auto mask = static_cast<std::uint32_t>(slots_.size() - 1);
  std::uint32_t at = mixed(slot.edge) & mask;
  while (slots_[at].child != 0) at = (at + 1) & mask;
  slots_[at] = slot;
}

}  // namespace actionhist
