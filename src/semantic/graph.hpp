// The HNSW graph (Malkov and Yashunin 2016) over vectors that lie elsewhere, as it is walked: FAISS builds it,
// graph_builder.hpp, we walk it, walk.hpp, because the packaged walk ignores the width that a query asks for,
// fetches nothing ahead and opens an OpenMP region, which may hang after fork(). A Graph never changes; it may
// be read from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "semantic/binary.hpp"

namespace actionhist {

class Graph {
 public:
  static constexpr std::uint32_t none = 0xffff'ffff;

  // What a graph is made of, in memory of its own or in a file.
  struct Parts {
    std::uint32_t m = 0;  // links of a slot on each upper level; on the lowest it has twice as many
    std::uint32_t entry = none;
    std::uint32_t top_level = 0;
    std::span<const std::uint32_t> links;         // 2 m of each slot; `none` ends a shorter list
    std::span<const std::uint32_t> upper_places;  // of each slot, its first list in upper_links, or none
    std::span<const std::uint32_t> upper_links;   // m for each level above the lowest, from below
    std::span<const std::uint8_t> levels;         // of each slot, the number of those lists
  };

  // `owner` keeps what the spans show; `id` tells this graph from all others that any process has built.
  Graph(const Parts& parts, std::shared_ptr<const void> owner, std::uint64_t id)
      : parts_(parts), owner_(std::move(owner)), id_(id) {}

  const Parts& parts() const { return parts_; }
  std::uint64_t id() const { return id_; }
  std::size_t size() const { return parts_.levels.size(); }

  // Slots only, whatever became of the file since it was opened: what is no slot ends a list as `none` does.
  std::span<const std::uint32_t> neighbours(std::uint32_t slot) const { return slots_of(list(slot)); }
  // Brings the neighbours of a slot nearer to the CPU. Nothing happens for `none`.
  void prefetch(std::uint32_t slot) const {
    if (slot == none) return;
    const auto links = list(slot);
    for (std::size_t i = 0; i < links.size(); i += 16) __builtin_prefetch(links.data() + i);
  }
  // None where the slot has no such level.
  std::span<const std::uint32_t> upper_neighbours(std::uint32_t slot, std::uint32_t level) const {
    const std::size_t begin = (std::size_t{parts_.upper_places[slot]} + level - 1) * parts_.m;
    if (begin + parts_.m > parts_.upper_links.size()) return {};
    return slots_of(parts_.upper_links.subspan(begin, parts_.m));
  }

  // As a file keeps it; read() shows it in place. Throws Error: corrupt.
  void write(BinaryWriter& out) const;
  static std::shared_ptr<const Graph> read(BinaryReader& in, std::shared_ptr<const void> owner);

  std::size_t bytes() const {
    return parts_.links.size_bytes() + parts_.upper_places.size_bytes() + parts_.upper_links.size_bytes() +
           parts_.levels.size_bytes();
  }

 private:
  std::span<const std::uint32_t> list(std::uint32_t slot) const {
    const std::size_t width = 2 * std::size_t{parts_.m};
    return parts_.links.subspan(slot * width, width);
  }
  std::span<const std::uint32_t> slots_of(std::span<const std::uint32_t> links) const {
    std::size_t count = 0;
    while (count < links.size() && links[count] < size()) ++count;
    return links.first(count);
  }

  Parts parts_;
  std::shared_ptr<const void> owner_;
  std::uint64_t id_;
};

}  // namespace actionhist
