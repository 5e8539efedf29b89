#include "semantic/kernels.hpp"

#include <bit>
#include <cstring>

namespace actionhist {
namespace {

// Four floats that every compiler maps to what the target has (SSE, NEON).
typedef float Four [[gnu::vector_size(16)]];

Four load(const float* at) {
  Four four;
  std::memcpy(&four, at, sizeof four);
  return four;
}

Four load(const Half* at) {
  return Four{from_half(at[0]), from_half(at[1]), from_half(at[2]), from_half(at[3])};
}

// Several sums that do not wait for each other; compilers may not reorder sums by themselves.
template <class Second, class Term>
float sum_of(const float* a, const Second* b, std::size_t n, Term term) {
  Four s0{}, s1{}, s2{}, s3{};
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 += term(load(a + i), load(b + i));
    s1 += term(load(a + i + 4), load(b + i + 4));
    s2 += term(load(a + i + 8), load(b + i + 8));
    s3 += term(load(a + i + 12), load(b + i + 12));
  }
  const Four four = (s0 + s1) + (s2 + s3);
  float sum = (four[0] + four[1]) + (four[2] + four[3]);
  for (; i < n; ++i) sum += term(a[i], widen(b[i]));
  return sum;
}

constexpr auto product = [](auto x, auto y) { return x * y; };
constexpr auto squared = [](auto x, auto y) { return (x - y) * (x - y); };

float dot(const float* a, const float* b, std::size_t n) { return sum_of(a, b, n, product); }
float squared_distance(const float* a, const float* b, std::size_t n) { return sum_of(a, b, n, squared); }
float dot_half(const float* a, const Half* b, std::size_t n) { return sum_of(a, b, n, product); }
float squared_distance_half(const float* a, const Half* b, std::size_t n) { return sum_of(a, b, n, squared); }

std::int32_t dot_int8(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

std::uint32_t hamming(const std::uint64_t* a, const std::uint64_t* b, std::size_t words) {
  int sum = 0;
  for (std::size_t i = 0; i < words; ++i) sum += std::popcount(a[i] ^ b[i]);
  return static_cast<std::uint32_t>(sum);
}

}  // namespace

std::vector<Kernels> all_kernels() {
  std::vector<Kernels> out = {
      {"portable", dot, squared_distance, dot_half, squared_distance_half, dot_int8, hamming}};
  append_x86_kernels(out);
  append_arm_kernels(out);
  return out;
}

const Kernels& kernels() {
  static const Kernels best = all_kernels().back();
  return best;
}

}  // namespace actionhist
