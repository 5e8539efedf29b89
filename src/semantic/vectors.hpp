// Vectors of one dimension in numbered slots: in full, and as codes of a byte a component, which tell far
// from near at a quarter of the memory traffic. Vectors never move, so the graph and the exact scan read them
// here. Const functions may run in many threads at once.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "semantic/kernels.hpp"

namespace actionhist {

class Vectors {
 public:
  // Slots of one chunk lie side by side.
  static constexpr std::size_t chunk_slots = 256;

  struct Code {
    std::vector<std::int8_t> values;
    float scale = 0;    // of a value
    float squares = 0;  // of the vector
  };

  Vectors(std::size_t dimension, Metric metric);

  std::size_t dimension() const { return dimension_; }
  std::size_t size() const { return size_; }
  const float* at(std::size_t slot) const {
    return chunks_[slot / chunk_slots].values.get() + slot % chunk_slots * dimension_;
  }

  const std::int8_t* code_at(std::size_t slot) const {
    return chunks_[slot / chunk_slots].codes.get() + slot % chunk_slots * code_size_;
  }

  // Returns the new slot. REQUIRES: `vector` has the dimension.
  std::size_t append(std::span<const float> vector);

  Code encode(const float* vector) const;

  // Smaller is nearer: the negative inner product, or the squared distance.
  float distance(const float* a, const float* b) const {
    return squared_ ? kernels_.squared_distance(a, b, dimension_) : -kernels_.dot(a, b, dimension_);
  }

  // The same, about, of a code or of two slots.
  float coarse_distance(const Code& code, std::size_t slot) const {
    return coarse(code.values.data(), code.scale, code.squares, slot);
  }
  float coarse_distance(std::size_t a, std::size_t b) const {
    return coarse(code_at(a), scales_[a], squares_[a], b);
  }

  // The distance as IndexHit::similarity says it.
  double similarity(float distance) const {
    return squared_ ? -std::sqrt(static_cast<double>(distance)) : -static_cast<double>(distance);
  }

  std::size_t bytes() const {
    return chunks_.size() * chunk_slots * (dimension_ * sizeof(float) + code_size_) +
           size_ * 2 * sizeof(float);
  }

 private:
  struct Chunk {
    std::unique_ptr<float[]> values;
    std::unique_ptr<std::int8_t[]> codes;
  };

  float coarse(const std::int8_t* code, float scale, float squares, std::size_t slot) const {
    const auto sum = static_cast<float>(kernels_.dot_int8(code, code_at(slot), code_size_));
    const float dot = sum * scale * scales_[slot];
    return squared_ ? squares + squares_[slot] - 2 * dot : -dot;
  }

  std::size_t dimension_;
  std::size_t code_size_;
  bool squared_;
  const Kernels& kernels_;
  std::size_t size_ = 0;
  std::vector<Chunk> chunks_;
  std::vector<float> scales_;   // of the codes, by slot
  std::vector<float> squares_;  // of the vectors, by slot
};

}  // namespace actionhist
