// Vectors of one dimension in numbered slots, each kept three times: in the precision that the index promises,
// as a code of a byte a component, which tells far from near at a quarter of the memory traffic, and as the
// signs of its components, at a thirtieth. Slots lie in chunks that never move and are shared by copies: a copy
// sees the slots of its time, may be read beside appends to the original, and must not be appended to.
// Const functions may run in many threads at once; append() excludes them on the same object.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "semantic/binary.hpp"
#include "semantic/kernels.hpp"

namespace actionhist {

// Where the parts of a chunk lie, in bytes from its begin. A chunk in a file looks the same.
struct ChunkLayout {
  ChunkLayout(std::size_t dimension, Precision precision);

  static constexpr std::size_t slots = 4096;

  std::size_t code_bytes;      // of one slot, a multiple of 32
  std::size_t sign_words;      // of one slot, of 64 bits
  std::size_t original_bytes;  // of one slot; 0 if the code is all that is kept
  std::size_t signs;
  std::size_t scales;
  std::size_t squares;
  std::size_t originals;  // at a multiple of the page size
  std::size_t bytes;
};

// The memory of a chunk, and what tells it, once it is full, from all others that any process has filled.
struct VectorChunk {
  std::shared_ptr<std::byte> memory;
  std::uint64_t id = 0;
};

class Vectors {
 public:
  // The mean that signs are taken around comes from this many vectors; before there are as many no slot has
  // signs.
  static constexpr std::size_t mean_slots = 1024;

  struct Query {
    std::vector<float> values;
    std::vector<std::int8_t> code;
    float scale = 0;                   // of a unit of the code
    float squares = 0;                 // of the code
    std::vector<std::uint64_t> signs;  // empty while slots have none
  };

  Vectors(std::size_t dimension, Metric metric, Precision precision);

  std::size_t dimension() const { return dimension_; }
  Metric metric() const { return metric_; }
  Precision precision() const { return precision_; }
  std::size_t size() const { return size_; }
  const ChunkLayout& layout() const { return layout_; }

  // Returns the new slot. REQUIRES: `vector` has the dimension.
  std::size_t append(std::span<const float> vector);

  // What append() would keep of a vector, to recognise it. Two vectors are kept alike or not at all.
  std::vector<std::byte> kept_form(std::span<const float> vector) const;
  bool keeps(std::size_t slot, std::span<const std::byte> kept) const;

  // The vector as far as it is kept.
  void decode(std::size_t slot, float* out) const;

  Query query(std::span<const float> vector) const;

  // Smaller is nearer: the negative inner product, or the squared distance, in the precision that is kept.
  float distance(const Query& query, std::size_t slot) const {
    const std::byte* at = original(slot);
    if (precision_ == Precision::full) {
      const auto* values = reinterpret_cast<const float*>(at);
      return squared_ ? kernels_->squared_distance(query.values.data(), values, dimension_)
                      : -kernels_->dot(query.values.data(), values, dimension_);
    }
    if (precision_ == Precision::byte) return coarse_distance(query, slot);
    const auto* values = reinterpret_cast<const Half*>(at);
    return squared_ ? kernels_->squared_distance_half(query.values.data(), values, dimension_)
                    : -kernels_->dot_half(query.values.data(), values, dimension_);
  }

  // The same, about, by the codes of a query or of two slots.
  float coarse_distance(const Query& query, std::size_t slot) const {
    return coarse(query.code.data(), query.scale, query.squares, slot);
  }
  float coarse_distance(std::size_t a, std::size_t b) const {
    return coarse(code(a), scale(a), squares(a), b);
  }

  // What coarse_distance() is hardly ever wrong by: three standard deviations of the sum of what was rounded,
  // which is even between half a unit less and half a unit more in each component of both codes.
  float coarse_error(const Query& query, std::size_t slot) const {
    const float variance =
        (query.squares * scale(slot) * scale(slot) + squares(slot) * query.scale * query.scale) / 12;
    return (squared_ ? 6 : 3) * std::sqrt(variance);
  }

  // How many signs differ. REQUIRES: has_signs().
  std::uint32_t sign_distance(const Query& query, std::size_t slot) const {
    return kernels_->hamming(query.signs.data(), signs(slot), layout_.sign_words);
  }
  bool has_signs() const { return !mean_.empty(); }
  std::span<const float> mean() const { return mean_; }
  // Takes the signs around this mean from now on. REQUIRES: there is no slot yet.
  void set_mean(std::vector<float> mean);

  const std::int8_t* code(std::size_t slot) const {
    return reinterpret_cast<const std::int8_t*>(chunk(slot)) + slot % ChunkLayout::slots * layout_.code_bytes;
  }
  const std::uint64_t* signs(std::size_t slot) const {
    return reinterpret_cast<const std::uint64_t*>(chunk(slot) + layout_.signs) +
           slot % ChunkLayout::slots * layout_.sign_words;
  }

  // Brings the code of a slot nearer to the CPU, before it is compared.
  void prefetch(std::size_t slot) const {
    const std::int8_t* at = code(slot);
    for (std::size_t i = 0; i < prefetched_; i += 64) __builtin_prefetch(at + i);
    __builtin_prefetch(reinterpret_cast<const float*>(chunk(slot) + layout_.scales) +
                       slot % ChunkLayout::slots);
  }

  // The same for the begin of its signs: a walk asks for so many at once that asking for more makes it wait.
  // REQUIRES: has_signs().
  void prefetch_signs(std::size_t slot) const { __builtin_prefetch(signs(slot)); }

  void prefetch_original(std::size_t slot) const {
    const std::byte* at = original(slot);
    for (std::size_t i = 0; i < layout_.original_bytes; i += 64) __builtin_prefetch(at + i);
  }

  // The distance as IndexHit::similarity says it. By codes a vector may seem nearer to itself than 0.
  double similarity(float distance) const {
    return squared_ ? -std::sqrt(std::max(0., static_cast<double>(distance)))
                    : -static_cast<double>(distance);
  }

  // The chunks as they are written to files and come back. REQUIRES: those adopted are of this layout, and
  // there is no slot yet; `mean` is the one that their signs were taken around.
  std::span<const std::byte> chunk_bytes(std::size_t number) const {
    return {chunks_[number].memory.get(), layout_.bytes};
  }
  std::uint64_t chunk_id(std::size_t number) const { return chunks_[number].id; }
  std::size_t chunks() const { return chunks_.size(); }
  void adopt(std::vector<VectorChunk> chunks, std::size_t size, std::vector<float> mean);
  // The last chunk while it is not full, slot by slot: it is not worth a file of its own.
  void write_last(BinaryWriter& out) const;
  VectorChunk read_last(BinaryReader& in, std::size_t slots) const;
  // Reads a chunk from other memory that holds the same, such as a file.
  void replace(std::size_t number, std::shared_ptr<std::byte> same) {
    chunks_[number].memory = std::move(same);
  }

  // Of the memory for the slots there are, whether it is the process's own or that of files.
  std::size_t bytes() const;

 private:
  const std::byte* chunk(std::size_t slot) const { return chunks_[slot / ChunkLayout::slots].memory.get(); }
  const std::byte* original(std::size_t slot) const {
    return chunk(slot) + layout_.originals + slot % ChunkLayout::slots * layout_.original_bytes;
  }
  float scale(std::size_t slot) const {
    return reinterpret_cast<const float*>(chunk(slot) + layout_.scales)[slot % ChunkLayout::slots];
  }
  float squares(std::size_t slot) const {
    return reinterpret_cast<const float*>(chunk(slot) + layout_.squares)[slot % ChunkLayout::slots];
  }
  float coarse(const std::int8_t* code_a, float scale_a, float squares_a, std::size_t b) const {
    const auto sum = static_cast<float>(kernels_->dot_int8(code_a, code(b), layout_.code_bytes));
    const float dot = sum * scale_a * scale(b);
    return squared_ ? squares_a + squares(b) - 2 * dot : -dot;
  }
  float squares_of(const std::int8_t* code, float scale) const;
  void find_mean();

  std::size_t dimension_;
  Metric metric_;
  Precision precision_;
  bool squared_;
  ChunkLayout layout_;
  std::size_t prefetched_;
  const Kernels* kernels_;
  std::size_t size_ = 0;
  std::vector<VectorChunk> chunks_;
  std::vector<float> mean_;
};

}  // namespace actionhist
