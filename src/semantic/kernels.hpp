// Distances of vectors at the speed that the CPU at hand allows: the packaged FAISS is built without AVX. The
// sums of different kernels may differ in the last digits, those of bytes and signs never do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "embedding/half.hpp"

namespace actionhist {

struct Kernels {
  const char* name;
  float (*dot)(const float* a, const float* b, std::size_t n);
  float (*squared_distance)(const float* a, const float* b, std::size_t n);
  // `b` is widened before it is multiplied.
  float (*dot_half)(const float* a, const Half* b, std::size_t n);
  float (*squared_distance_half)(const float* a, const Half* b, std::size_t n);
  // REQUIRES: n is a multiple of 32 and at most 65,536; no value is −128.
  std::int32_t (*dot_int8)(const std::int8_t* a, const std::int8_t* b, std::size_t n);
  // How many bits differ.
  std::uint32_t (*hamming)(const std::uint64_t* a, const std::uint64_t* b, std::size_t words);
};

// The best kernels for this CPU, chosen at first use.
const Kernels& kernels();

// All that this CPU can run, the portable ones first. For tests.
std::vector<Kernels> all_kernels();

inline float widen(float value) { return value; }
inline float widen(Half value) { return from_half(value); }

// Those of x86-64 and of ARM that the CPU has, best last; nothing elsewhere. Used by all_kernels().
void append_x86_kernels(std::vector<Kernels>& out);
void append_arm_kernels(std::vector<Kernels>& out);

}  // namespace actionhist
