#include <catch2/catch.hpp>

#include "analysis/wilson.hpp"

using namespace actionhist;

TEST_CASE("the interval never leaves what is possible and narrows with trials") {
  CHECK(wilson(0, 3, 1.28).upper == Approx(.353).margin(.001));
  CHECK(wilson(0, 5, 1.28).upper == Approx(.247).margin(.001));
  CHECK(wilson(0, 3, 1.28).lower == 0);
  CHECK(wilson(3, 3, 1.28).upper == Approx(1));
  CHECK(wilson(0, 0, 1.96).lower == 0);
  CHECK(wilson(0, 0, 1.96).upper == 1);
  // Newcombe (1998), 81 of 263.
  CHECK(wilson(81, 263, 1.96).lower == Approx(.2553).margin(.0001));
  CHECK(wilson(81, 263, 1.96).upper == Approx(.3662).margin(.0001));
}
