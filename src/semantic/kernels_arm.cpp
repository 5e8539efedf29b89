// NEON, which every 64-bit ARM has, and its dot product of bytes where the compiler may use it.
#include "semantic/kernels.hpp"

#if defined(__aarch64__)
#include <arm_neon.h>

namespace actionhist {
namespace {

inline float32x4_t load4(const float* at) { return vld1q_f32(at); }
inline float32x4_t load4(const Half* at) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(at))); }

template <class Second>
float dot_of(const float* a, const Second* b, std::size_t n) {
  float32x4_t s0 = vdupq_n_f32(0), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    s0 = vfmaq_f32(s0, load4(a + i), load4(b + i));
    s1 = vfmaq_f32(s1, load4(a + i + 4), load4(b + i + 4));
    s2 = vfmaq_f32(s2, load4(a + i + 8), load4(b + i + 8));
    s3 = vfmaq_f32(s3, load4(a + i + 12), load4(b + i + 12));
  }
  float sum = vaddvq_f32(vaddq_f32(vaddq_f32(s0, s1), vaddq_f32(s2, s3)));
  for (; i < n; ++i) sum += a[i] * widen(b[i]);
  return sum;
}

template <class Second>
float squared_of(const float* a, const Second* b, std::size_t n) {
  float32x4_t s0 = vdupq_n_f32(0), s1 = s0;
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) {
    const float32x4_t d0 = vsubq_f32(load4(a + i), load4(b + i));
    const float32x4_t d1 = vsubq_f32(load4(a + i + 4), load4(b + i + 4));
    s0 = vfmaq_f32(s0, d0, d0);
    s1 = vfmaq_f32(s1, d1, d1);
  }
  float sum = vaddvq_f32(vaddq_f32(s0, s1));
  for (; i < n; ++i) sum += (a[i] - widen(b[i])) * (a[i] - widen(b[i]));
  return sum;
}

float dot(const float* a, const float* b, std::size_t n) { return dot_of(a, b, n); }
float squared_distance(const float* a, const float* b, std::size_t n) { return squared_of(a, b, n); }
float dot_half(const float* a, const Half* b, std::size_t n) { return dot_of(a, b, n); }
float squared_distance_half(const float* a, const Half* b, std::size_t n) { return squared_of(a, b, n); }

std::int32_t dot_int8(const std::int8_t* a, const std::int8_t* b, std::size_t n) {
  int32x4_t s0 = vdupq_n_s32(0), s1 = s0;
  for (std::size_t i = 0; i < n; i += 32) {
#if defined(__ARM_FEATURE_DOTPROD)
    s0 = vdotq_s32(s0, vld1q_s8(a + i), vld1q_s8(b + i));
    s1 = vdotq_s32(s1, vld1q_s8(a + i + 16), vld1q_s8(b + i + 16));
#else
    for (std::size_t j = i; j < i + 32; j += 16) {
      const int8x16_t x = vld1q_s8(a + j);
      const int8x16_t y = vld1q_s8(b + j);
      s0 = vpadalq_s16(s0, vmull_s8(vget_low_s8(x), vget_low_s8(y)));
      s1 = vpadalq_s16(s1, vmull_s8(vget_high_s8(x), vget_high_s8(y)));
    }
#endif
  }
  return vaddvq_s32(vaddq_s32(s0, s1));
}

std::uint32_t hamming(const std::uint64_t* a, const std::uint64_t* b, std::size_t words) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < words; ++i) sum += vaddv_u8(vcnt_u8(vcreate_u8(a[i] ^ b[i])));
  return sum;
}

}  // namespace

void append_arm_kernels(std::vector<Kernels>& out) {
  out.push_back({"neon", dot, squared_distance, dot_half, squared_distance_half, dot_int8, hamming});
}

}  // namespace actionhist

#else

namespace actionhist {
void append_arm_kernels(std::vector<Kernels>&) {}
}  // namespace actionhist

#endif
