#include "semantic/kernels.hpp"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

using namespace actionhist;

namespace {

std::mt19937 random_numbers(3);

std::vector<float> floats(std::size_t n) {
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (float& x : out) x = normal(random_numbers);
  return out;
}

}  // namespace

TEST_CASE("all kernels of floats and halves agree with sums in double", "[kernels]") {
  for (const std::size_t n : {0, 1, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 77, 129, 384, 1000}) {
    const auto a = floats(n);
    const auto b = floats(n);
    std::vector<Half> halves(n);
    double dot = 0, squared = 0, dot_half = 0, squared_half = 0;
    for (std::size_t i = 0; i < n; ++i) {
      halves[i] = to_half(b[i]);
      const double h = from_half(halves[i]);
      dot += static_cast<double>(a[i]) * b[i];
      squared += std::pow(static_cast<double>(a[i]) - b[i], 2);
      dot_half += a[i] * h;
      squared_half += std::pow(a[i] - h, 2);
    }
    for (const Kernels& kernel : all_kernels()) {
      CAPTURE(kernel.name, n);
      CHECK(kernel.dot(a.data(), b.data(), n) == Approx(dot).margin(1e-3));
      CHECK(kernel.squared_distance(a.data(), b.data(), n) == Approx(squared).margin(1e-3));
      CHECK(kernel.dot_half(a.data(), halves.data(), n) == Approx(dot_half).margin(1e-3));
      CHECK(kernel.squared_distance_half(a.data(), halves.data(), n) == Approx(squared_half).margin(1e-3));
    }
  }
}

TEST_CASE("all kernels of bytes and signs agree to the last digit", "[kernels]") {
  const Kernels portable = all_kernels().front();
  for (std::size_t n = 0; n <= 320; n += 32) {
    std::vector<std::int8_t> a(n), b(n);
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = static_cast<std::int8_t>(static_cast<int>(random_numbers() % 255) - 127);
      b[i] = i % 5 == 0 ? std::int8_t{127}
                        : static_cast<std::int8_t>(static_cast<int>(random_numbers() % 255) - 127);
    }
    for (const Kernels& kernel : all_kernels()) {
      CAPTURE(kernel.name, n);
      CHECK(kernel.dot_int8(a.data(), b.data(), n) == portable.dot_int8(a.data(), b.data(), n));
    }
  }
  const std::vector<std::int8_t> largest(65'536, 127);
  for (const Kernels& kernel : all_kernels())
    CHECK(kernel.dot_int8(largest.data(), largest.data(), largest.size()) == 127 * 127 * 65'536);
  for (std::size_t words = 0; words <= 20; ++words) {
    std::vector<std::uint64_t> a(words), b(words);
    std::uint32_t expected = 0;
    for (std::size_t i = 0; i < words; ++i) {
      a[i] = random_numbers() * std::uint64_t{0x1'0000'0001};
      b[i] = i % 3 == 0 ? ~a[i] : random_numbers();
      for (int bit = 0; bit < 64; ++bit) expected += ((a[i] ^ b[i]) >> bit & 1) != 0;
    }
    for (const Kernels& kernel : all_kernels()) {
      CAPTURE(kernel.name, words);
      CHECK(kernel.hamming(a.data(), b.data(), words) == expected);
    }
  }
}

TEST_CASE("halves round to the nearest and come back", "[kernels]") {
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const auto half = static_cast<Half>(bits);
    REQUIRE(to_half(from_half(half)) == half);
    REQUIRE(to_half(-from_half(half)) == (half | 0x8000));
  }
  CHECK(from_half(to_half(1)) == 1);
  CHECK(from_half(to_half(65'504)) == 65'504);
  CHECK(std::isinf(from_half(to_half(65'520))));
  CHECK(from_half(to_half(65'519)) == 65'504);
  CHECK(std::isnan(from_half(to_half(std::numeric_limits<float>::quiet_NaN()))));
  CHECK(from_half(to_half(1 + 0x1p-11F)) == 1);
  CHECK(from_half(to_half(1 + 3 * 0x1p-11F)) == 1 + 0x1p-9F);
  CHECK(from_half(to_half(0x1p-24F)) == 0x1p-24F);
  CHECK(from_half(to_half(0x1p-26F)) == 0);
}
