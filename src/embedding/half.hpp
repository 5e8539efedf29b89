// Floats of 16 bits, as models and indexes keep them.
#pragma once

#include <bit>
#include <cstdint>

namespace actionhist {

using Half = std::uint16_t;  // an IEEE 754 binary16, as its bits

// Rounds to the nearest half, ties to even; what is too large becomes infinite.
inline Half to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint32_t>(bits >> 16 & 0x8000U);
  const std::uint32_t size = bits & 0x7fff'ffffU;
  if (size > 0x7f80'0000U) return static_cast<Half>(sign | 0x7e00U);   // no number
  if (size >= 0x4780'0000U) return static_cast<Half>(sign | 0x7c00U);  // 65536 and more
  if (size < 0x3880'0000U) {
    // Below 2^-14 a half counts in steps of 2^-24. The addition rounds for us.
    const float rounded = std::bit_cast<float>(size) + 0.5F;
    return static_cast<Half>(sign | (std::bit_cast<std::uint32_t>(rounded) - 0x3f00'0000U));
  }
  const std::uint32_t rounded = size + 0x0fffU + (size >> 13 & 1U) - 0x3800'0000U;
  return static_cast<Half>(sign | rounded >> 13);
}

inline float from_half(Half half) {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t size = half & 0x7fffU;
  if (size >= 0x7c00U) return std::bit_cast<float>(sign | 0x7f80'0000U | (size & 0x3ffU) << 13);
  // The exponent is shifted to that of a float by a multiplication, which also serves the smallest halves.
  const float value = std::bit_cast<float>(size << 13) * 0x1p112F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(value));
}

}  // namespace actionhist
