#include "semantic/kernels.hpp"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace actionhist {
namespace {

// Four floats that every compiler maps to what the target has (SSE, NEON).
typedef float Four [[gnu::vector_size(16)]];

Four load(const float* at) {
  Four four;
  std::memcpy(&four, at, sizeof four);
  return four;
}

// Several sums that do not wait for each other; compilers may not reorder sums by themselves.
template <class Term>
float portable(const float* a, const float* b, std::size_t n, Term term) {
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
  for (; i < n; ++i) sum += term(a[i], b[i]);
  return sum;
}

constexpr auto product = [](auto x, auto y) { return x * y; };
constexpr auto squared = [](auto x, auto y) { return (x - y) * (x - y); };

float dot_portable(const float* a, const float* b, std::size_t n) { return portable(a, b, n, product); }
float squared_portable(const float* a, const float* b, std::size_t n) { return portable(a, b, n, squared); }

std::int32_t dot_int8_portable(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  std::int32_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += std::int32_t{a[i]} * b[i];
  return sum;
}

#if defined(__x86_64__)

[[gnu::target("avx2,fma")]] float sum8(__m256 v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

[[gnu::target("avx2,fma")]] float dot_avx2(const float* a, const float* b, std::size_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
    s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
    s2 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 16), _mm256_loadu_ps(b + i + 16), s2);
    s3 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 24), _mm256_loadu_ps(b + i + 24), s3);
  }
  float sum = sum8(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

[[gnu::target("avx2,fma")]] float squared_avx2(const float* a, const float* b, std::size_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
    const __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
    s0 = _mm256_fmadd_ps(d0, d0, s0);
    s1 = _mm256_fmadd_ps(d1, d1, s1);
  }
  float sum = sum8(_mm256_add_ps(s0, s1));
  for (; i < n; ++i) sum += squared(a[i], b[i]);
  return sum;
}

// The instruction multiplies unsigned by signed bytes, so the sign of `a` is moved to `b`.
[[gnu::target("avx2,fma")]] std::int32_t dot_int8_avx2(const std::int8_t* a, const std::int8_t* b,
                                                       std::size_t n) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sums = _mm256_setzero_si256();
  for (std::size_t i = 0; i < n; i += 32) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
    const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
    const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x));
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, ones));
  }
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

#endif

}  // namespace

std::vector<Kernels> all_kernels() {
  std::vector<Kernels> out = {{"portable", dot_portable, squared_portable, dot_int8_portable}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    out.push_back({"avx2", dot_avx2, squared_avx2, dot_int8_avx2});
  }
#endif
  return out;
}

const Kernels& kernels() {
  static const Kernels best = all_kernels().back();
  return best;
}

}  // namespace actionhist
