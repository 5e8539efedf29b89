#include "semantic/vectors.hpp"

#include <algorithm>

namespace actionhist {
namespace {

// Scales the largest component to ±127 and returns what a unit is worth.
float quantise(const float* vector, std::size_t dimension, std::int8_t* out) {
  float largest = 0;
  for (std::size_t i = 0; i < dimension; ++i) largest = std::max(largest, std::abs(vector[i]));
  if (largest < 1e-30F) return 0;  // its inverse may be no float
  const float units = 127 / largest;
  for (std::size_t i = 0; i < dimension; ++i)
    out[i] = static_cast<std::int8_t>(std::lrint(vector[i] * units));
  return largest / 127;
}

}  // namespace

Vectors::Vectors(std::size_t dimension, Metric metric)
    : dimension_(dimension),
      code_size_((dimension + 31) / 32 * 32),
      squared_(metric == Metric::l2),
      kernels_(kernels()) {}

std::size_t Vectors::append(std::span<const float> vector) {
  const std::size_t place = size_ % chunk_slots;
  if (place == 0) {
    chunks_.push_back({std::make_unique_for_overwrite<float[]>(chunk_slots * dimension_),
                       std::make_unique<std::int8_t[]>(chunk_slots * code_size_)});
  }
  std::copy(vector.begin(), vector.end(), chunks_.back().values.get() + place * dimension_);
  scales_.push_back(quantise(vector.data(), dimension_, chunks_.back().codes.get() + place * code_size_));
  squares_.push_back(kernels_.dot(vector.data(), vector.data(), dimension_));
  return size_++;
}

Vectors::Code Vectors::encode(const float* vector) const {
  Code code;
  code.values.resize(code_size_);
  code.scale = quantise(vector, dimension_, code.values.data());
  code.squares = kernels_.dot(vector, vector, dimension_);
  return code;
}

}  // namespace actionhist
