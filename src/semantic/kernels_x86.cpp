// AVX2 with FMA and F16C, AVX-512, and AVX-512 with VNNI, each function compiled for its own target.
#include "semantic/kernels.hpp"

#if defined(__x86_64__)
// g++ 12 takes the undefined registers of its own AVX-512 header for mistakes (GCC bug 105593).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <cpuid.h>
#include <immintrin.h>

#define ACTIONHIST_AVX2 [[gnu::target("avx2,fma,f16c,popcnt")]]
#define ACTIONHIST_AVX512 [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma,f16c,popcnt")]]
#define ACTIONHIST_VNNI [[gnu::target("avx512vnni,avx512f,avx512bw,avx512vl,avx2,fma")]]
#define ACTIONHIST_POPCNT512 [[gnu::target("avx512vpopcntdq,avx512f,avx512bw,avx512vl,avx2,popcnt")]]

namespace actionhist {
namespace {

ACTIONHIST_AVX2 inline __m256 load8(const float* at) { return _mm256_loadu_ps(at); }
ACTIONHIST_AVX2 inline __m256 load8(const Half* at) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at)));
}

ACTIONHIST_AVX2 inline float sum8(__m256 v) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

ACTIONHIST_AVX2 inline std::int32_t sum8(__m256i v) {
  const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  const __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xb1)));
}

template <class Second>
ACTIONHIST_AVX2 inline float dot_avx2_of(const float* a, const Second* b, std::size_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    s0 = _mm256_fmadd_ps(load8(a + i), load8(b + i), s0);
    s1 = _mm256_fmadd_ps(load8(a + i + 8), load8(b + i + 8), s1);
    s2 = _mm256_fmadd_ps(load8(a + i + 16), load8(b + i + 16), s2);
    s3 = _mm256_fmadd_ps(load8(a + i + 24), load8(b + i + 24), s3);
  }
  float sum = sum8(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
  for (; i < n; ++i) sum += a[i] * widen(b[i]);
  return sum;
}

template <class Second>
ACTIONHIST_AVX2 inline float squared_avx2_of(const float* a, const Second* b, std::size_t n) {
  __m256 s0 = _mm256_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const __m256 d0 = _mm256_sub_ps(load8(a + i), load8(b + i));
    const __m256 d1 = _mm256_sub_ps(load8(a + i + 8), load8(b + i + 8));
    s0 = _mm256_fmadd_ps(d0, d0, s0);
    s1 = _mm256_fmadd_ps(d1, d1, s1);
  }
  float sum = sum8(_mm256_add_ps(s0, s1));
  for (; i < n; ++i) sum += (a[i] - widen(b[i])) * (a[i] - widen(b[i]));
  return sum;
}

ACTIONHIST_AVX2 float dot_avx2(const float* a, const float* b, std::size_t n) { return dot_avx2_of(a, b, n); }
ACTIONHIST_AVX2 float squared_avx2(const float* a, const float* b, std::size_t n) {
  return squared_avx2_of(a, b, n);
}

ACTIONHIST_AVX2 float dot_half_avx2(const float* a, const Half* b, std::size_t n) {
  return dot_avx2_of(a, b, n);
}

ACTIONHIST_AVX2 float squared_half_avx2(const float* a, const Half* b, std::size_t n) {
  return squared_avx2_of(a, b, n);
}

// The instruction multiplies unsigned by signed bytes, so the sign of `a` is moved to `b`.
ACTIONHIST_AVX2 inline __m256i products32(const std::int8_t* a, const std::int8_t* b) {
  const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
  const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(y, x));
  return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

ACTIONHIST_AVX2 std::int32_t dot_int8_avx2(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  __m256i s0 = _mm256_setzero_si256(), s1 = s0;
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    s0 = _mm256_add_epi32(s0, products32(a + i, b + i));
    s1 = _mm256_add_epi32(s1, products32(a + i + 32, b + i + 32));
  }
  if (i < n) s0 = _mm256_add_epi32(s0, products32(a + i, b + i));
  return sum8(_mm256_add_epi32(s0, s1));
}

ACTIONHIST_AVX2 std::uint32_t hamming_popcnt(const std::uint64_t* a, const std::uint64_t* b,
                                             std::size_t words) {
  long long s0 = 0, s1 = 0;
  std::size_t i = 0;
  for (; i + 2 <= words; i += 2) {
    s0 += _mm_popcnt_u64(a[i] ^ b[i]);
    s1 += _mm_popcnt_u64(a[i + 1] ^ b[i + 1]);
  }
  if (i < words) s0 += _mm_popcnt_u64(a[i] ^ b[i]);
  return static_cast<std::uint32_t>(s0 + s1);
}

ACTIONHIST_AVX512 inline __m512 load16(const float* at) { return _mm512_loadu_ps(at); }
ACTIONHIST_AVX512 inline __m512 load16(const Half* at) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(at)));
}

template <class Second>
ACTIONHIST_AVX512 inline float dot_avx512_of(const float* a, const Second* b, std::size_t n) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    s0 = _mm512_fmadd_ps(load16(a + i), load16(b + i), s0);
    s1 = _mm512_fmadd_ps(load16(a + i + 16), load16(b + i + 16), s1);
    s2 = _mm512_fmadd_ps(load16(a + i + 32), load16(b + i + 32), s2);
    s3 = _mm512_fmadd_ps(load16(a + i + 48), load16(b + i + 48), s3);
  }
  for (; i + 16 <= n; i += 16) s0 = _mm512_fmadd_ps(load16(a + i), load16(b + i), s0);
  float sum = _mm512_reduce_add_ps(_mm512_add_ps(_mm512_add_ps(s0, s1), _mm512_add_ps(s2, s3)));
  for (; i < n; ++i) sum += a[i] * widen(b[i]);
  return sum;
}

template <class Second>
ACTIONHIST_AVX512 inline float squared_avx512_of(const float* a, const Second* b, std::size_t n) {
  __m512 s0 = _mm512_setzero_ps(), s1 = s0;
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    const __m512 d0 = _mm512_sub_ps(load16(a + i), load16(b + i));
    const __m512 d1 = _mm512_sub_ps(load16(a + i + 16), load16(b + i + 16));
    s0 = _mm512_fmadd_ps(d0, d0, s0);
    s1 = _mm512_fmadd_ps(d1, d1, s1);
  }
  float sum = _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
  for (; i < n; ++i) sum += (a[i] - widen(b[i])) * (a[i] - widen(b[i]));
  return sum;
}

ACTIONHIST_AVX512 float dot_avx512(const float* a, const float* b, std::size_t n) {
  return dot_avx512_of(a, b, n);
}

ACTIONHIST_AVX512 float squared_avx512(const float* a, const float* b, std::size_t n) {
  return squared_avx512_of(a, b, n);
}

ACTIONHIST_AVX512 float dot_half_avx512(const float* a, const Half* b, std::size_t n) {
  return dot_avx512_of(a, b, n);
}

ACTIONHIST_AVX512 float squared_half_avx512(const float* a, const Half* b, std::size_t n) {
  return squared_avx512_of(a, b, n);
}

// As for AVX2, with the sign moved by a mask, because AVX-512 has no sign instruction.
ACTIONHIST_VNNI std::int32_t dot_int8_vnni(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  __m512i sum = _mm512_setzero_si512();
  std::size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    const __m512i x = _mm512_loadu_si512(a + i);
    const __m512i y = _mm512_loadu_si512(b + i);
    const __m512i signed_y = _mm512_mask_sub_epi8(y, _mm512_movepi8_mask(x), _mm512_setzero_si512(), y);
    sum = _mm512_dpbusd_epi32(sum, _mm512_abs_epi8(x), signed_y);
  }
  if (i < n) {
    const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
    const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
    const __m256i rest =
        _mm256_dpbusd_epi32(_mm256_setzero_si256(), _mm256_abs_epi8(x), _mm256_sign_epi8(y, x));
    sum = _mm512_add_epi32(sum, _mm512_zextsi256_si512(rest));
  }
  return _mm512_reduce_add_epi32(sum);
}

ACTIONHIST_POPCNT512 std::uint32_t hamming_avx512(const std::uint64_t* a, const std::uint64_t* b,
                                                  std::size_t words) {
  __m512i sum = _mm512_setzero_si512();
  for (std::size_t i = 0; i < words; i += 8) {
    const auto mask = static_cast<__mmask8>(words - i >= 8 ? 0xff : (1U << (words - i)) - 1);
    const __m512i x = _mm512_maskz_loadu_epi64(mask, a + i);
    const __m512i y = _mm512_maskz_loadu_epi64(mask, b + i);
    sum = _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(x, y)));
  }
  return static_cast<std::uint32_t>(_mm512_reduce_add_epi64(sum));
}

// clang 14 does not know it by name.
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}

}  // namespace

void append_x86_kernels(std::vector<Kernels>& out) {
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c() &&
                    __builtin_cpu_supports("popcnt");
  if (!avx2) return;
  out.push_back(
      {"avx2", dot_avx2, squared_avx2, dot_half_avx2, squared_half_avx2, dot_int8_avx2, hamming_popcnt});
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl");
  if (!avx512) return;
  out.push_back({"avx512", dot_avx512, squared_avx512, dot_half_avx512, squared_half_avx512, dot_int8_avx2,
                 hamming_popcnt});
  if (!__builtin_cpu_supports("avx512vnni")) return;
  Kernels vnni = out.back();
  vnni.name = "avx512 vnni";
  vnni.dot_int8 = dot_int8_vnni;
  if (__builtin_cpu_supports("avx512vpopcntdq")) vnni.hamming = hamming_avx512;
  out.push_back(vnni);
}

}  // namespace actionhist

#else

namespace actionhist {
void append_x86_kernels(std::vector<Kernels>&) {}
}  // namespace actionhist

#endif
