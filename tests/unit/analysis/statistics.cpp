// Expected values are those of scipy 1.17 (stats.mannwhitneyu, theilslopes, false_discovery_control, …),
// printed with all their digits.
#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

#include "analysis/cusum.hpp"
#include "analysis/significance.hpp"
#include "analysis/statistics.hpp"
#include "analysis/trend.hpp"

using namespace actionhist;

namespace {

Approx exactly(double value) { return Approx(value).epsilon(1e-9).margin(1e-12); }

constexpr std::array rising{.2, .3, .3, .5, .4, .6, .7, .7, .9, .8};

}  // namespace

TEST_CASE("mean, median and deviation are the textbook's", "[statistics]") {
  CHECK(mean(rising) == exactly(.54));
  CHECK(median({rising.begin(), rising.end()}) == exactly(.55));
  CHECK(median({3., 1., 2.}) == 2);
  CHECK(deviation(rising) == exactly(0.23664319132398465));
  CHECK(deviation(std::array{.7}) == 0);
}

TEST_CASE("the median of many values is the one in the middle of them sorted", "[statistics]") {
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    const std::size_t size = 1 + random() % 1500;
    // Spread, on a few values only, all alike, and with one far from all others.
    const int kind = round % 4;
    std::vector<double> values(size);
    for (double& value : values) {
      value = std::uniform_real_distribution<double>(-1, 1)(random);
      if (kind == 1) value = std::round(value * 2);
      if (kind == 2) value = .25;
      if (kind == 3) value = std::pow(value, 9);
    }
    if (kind == 3) values.back() = 1e9;
    std::vector<double> sorted = values;
    std::ranges::sort(sorted);
    CHECK(median(values) == (sorted[(size - 1) / 2] + sorted[size / 2]) / 2);
  }
}

TEST_CASE("a trend counts all pairs, and its slope is their median", "[statistics]") {
  std::mt19937 random(2);
  for (std::size_t size = 2; size < 180; size += 7) {
    std::vector<double> values(size);
    for (double& value : values) value = static_cast<double>(random() % 1001) / 1000;
    double s = 0;
    std::vector<double> slopes;
    for (std::size_t i = 0; i < size; ++i) {
      for (std::size_t j = i + 1; j < size; ++j) {
        s += (values[j] > values[i]) - (values[j] < values[i]);
        slopes.push_back((values[j] - values[i]) / static_cast<double>(j - i));
      }
    }
    std::ranges::sort(slopes);
    const Trend trend = mann_kendall(values);
    CHECK(trend.s == s);
    CHECK(trend.slope == (slopes[(slopes.size() - 1) / 2] + slopes[slopes.size() / 2]) / 2);
  }
}

TEST_CASE("quantiles agree with scipy", "[statistics]") {
  CHECK(normal_tail(1.3) == exactly(0.09680048458561036));
  CHECK(normal_quantile(.9) == exactly(1.2815515655446004));
  CHECK(student_quantile(.975, 59) == exactly(2.000995378088267));
  CHECK(beta_quantile(4.6, 1.4, .1) == exactly(0.5376702500385337));
}

TEST_CASE("a rising series with ties has the trend that scipy finds", "[statistics]") {
  const Trend trend = mann_kendall(rising);
  CHECK(trend.direction == 1);
  CHECK(trend.s == 39);
  CHECK(trend.p == exactly(0.000611763682297501));
  CHECK(trend.slope == exactly(.08));
}

TEST_CASE("what stays the same, and what is too short, has no trend", "[statistics]") {
  CHECK(mann_kendall(std::array{1., 1., 1., 1., 1., 1., 1., 1.}).p == 1);
  CHECK(mann_kendall(std::array{1., 1., 1., 1., 1., 1., 1., 1.}).direction == 0);
  CHECK(mann_kendall(std::array{.5}).p == 1);
  CHECK(mann_kendall(std::span<const double>{}).p == 1);
}

TEST_CASE("two groups of scores are compared as scipy does", "[statistics]") {
  const std::array<ScoreCount, 5> a{{{.1, 1}, {.2, 2}, {.4, 1}, {.5, 2}, {.9, 1}}};
  const std::array<ScoreCount, 6> b{{{.3, 1}, {.5, 1}, {.6, 1}, {.7, 2}, {.9, 1}, {1, 2}}};
  CHECK(mann_whitney(a, b) == exactly(0.035893149244152815));
  CHECK(mann_whitney(b, a) == exactly(0.035893149244152815));
  const std::array<ScoreCount, 2> few{{{0, 2}, {1, 3}}};
  const std::array<ScoreCount, 2> more{{{0, 1}, {1, 5}}};
  CHECK(mann_whitney(few, more) == exactly(0.47950012218695337));
}

TEST_CASE("groups that cannot differ are not significant", "[statistics]") {
  const std::array<ScoreCount, 1> all_alike{{{1, 30}}};
  CHECK(mann_whitney(all_alike, all_alike) == 1);
  CHECK(mann_whitney(all_alike, {}) == 1);
  CHECK(mann_whitney({}, {}) == 1);
}

TEST_CASE("many tests at once are adjusted as scipy does", "[statistics]") {
  const std::vector<double> adjusted = benjamini_hochberg(std::array{.01, .04, .03, .005, .5});
  const std::array expected{.025, .05, .05, .025, .5};
  REQUIRE(adjusted.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(adjusted[i] == exactly(expected[i]));
  CHECK(benjamini_hochberg({}).empty());
}

TEST_CASE("an interval stays inside [0, 1] and narrows with scores", "[statistics]") {
  const Interval few = score_interval(.9, .2, 5);
  const Interval some = score_interval(.9, .2, 49);
  const Interval many = score_interval(.9, .2, 60);
  CHECK(few.lower >= 0);
  CHECK(few.upper <= 1);
  CHECK(some.upper - some.lower < few.upper - few.lower);
  CHECK(many.upper - many.lower < some.upper - some.lower);
  CHECK(many.lower == exactly(.9 - 2.000995378088267 * .2 / std::sqrt(60.)));
  CHECK(score_interval(1, 0, 1000).lower < 1);
}

TEST_CASE("the alarm comes after a fall and not before", "[statistics]") {
  Cusum cusum(.9, .7);
  for (int i = 0; i < 200; ++i) cusum.add(i % 10 != 0, i % 10 == 0);
  CHECK_FALSE(cusum.alarm());
  int steps = 0;
  while (!cusum.add(steps % 2 == 0, steps % 2 == 1) && steps < 100) ++steps;
  CHECK(cusum.alarm());
  CHECK(steps < 40);
}
