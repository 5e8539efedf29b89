// Distances of float vectors, at the speed that the CPU at hand allows: the packaged FAISS is built without
// AVX. (AVX-512 was no faster than AVX2 here, long vectors wait for memory.) The sums of different kernels
// may differ in the last digits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace actionhist {

struct Kernels {
  const char* name;
  float (*dot)(const float* a, const float* b, std::size_t n);
  float (*squared_distance)(const float* a, const float* b, std::size_t n);
  // REQUIRES: n is a multiple of 32 and at most 65,536; no value is −128.
  std::int32_t (*dot_int8)(const std::int8_t* a, const std::int8_t* b, std::size_t n);
};

// The best kernels for this CPU, chosen at first use.
const Kernels& kernels();

// All that this CPU can run, the portable ones first. For tests.
std::vector<Kernels> all_kernels();

}  // namespace actionhist
