#include "analysis/score_summary.hpp"

#include <catch2/catch.hpp>

#include <random>

#include "analysis/statistics.hpp"

using namespace actionhist;

namespace {

std::vector<double> draw(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<double> scores;
  for (std::size_t i = 0; i < count; ++i) scores.push_back(static_cast<double>(random() % 1001) / 1000);
  return scores;
}

// The summary of consecutive parts of these sizes, put together.
ScoreSummary join(const std::vector<double>& scores, const std::vector<std::size_t>& sizes,
                  bool as_one = true) {
  std::vector<ScoreSummary> parts;
  auto at = scores.begin();
  for (const std::size_t size : sizes) {
    const auto end = at + static_cast<std::ptrdiff_t>(size);
    parts.emplace_back(std::vector<double>(at, end));
    at = end;
  }
  std::vector<const ScoreSummary*> pointers;
  for (const ScoreSummary& part : parts) pointers.push_back(&part);
  return ScoreSummary::join(pointers, as_one);
}

}  // namespace

TEST_CASE("few scores that are put together are the scores themselves", "[score_summary]") {
  const std::vector<double> scores = draw(300, 1);
  const ScoreSummary joined = join(scores, {100, 1, 199});
  CHECK(joined.single());
  CHECK(std::vector<double>(joined.scores().begin(), joined.scores().end()) == scores);
  CHECK(joined.mean() == mean(scores));
  CHECK(joined.median() == median(scores));
  CHECK(joined.deviation() == deviation(scores));
  CHECK(joined.runs().size() == 3);
}

TEST_CASE("many scores that are put together keep their figures", "[score_summary]") {
  const std::vector<double> scores = draw(3000, 2);
  for (const auto& sizes :
       {std::vector<std::size_t>{3000}, {600, 600, 1800}, {500, 500, 500, 500, 500, 500}}) {
    const ScoreSummary joined = join(scores, sizes);
    CHECK_FALSE(joined.single());
    CHECK(joined.count() == 3000);
    CHECK(joined.mean() == Approx(mean(scores)).epsilon(1e-12));
    CHECK(joined.deviation() == Approx(deviation(scores)).epsilon(1e-12));
    CHECK(joined.median() == Approx(median(scores)).epsilon(1e-12));
    CHECK(joined.successes() == std::ranges::count_if(scores, [](double score) { return score >= .6; }));
    CHECK(joined.runs().size() == sizes.size());
  }
  CHECK(join(scores, {1500, 1500}, false).runs().size() == 2 * 128);
}

TEST_CASE("what was kept of scores is read as it was", "[score_summary]") {
  for (const std::size_t count :
       {std::size_t{1}, std::size_t{7}, std::size_t{512}, std::size_t{513}, std::size_t{2000}}) {
    const ScoreSummary summary(draw(count, 3));
    CHECK(ScoreSummary::decode(summary.encoded()) == summary);
  }
  const ScoreSummary joined = join(draw(1200, 4), {300, 300, 600});
  CHECK(ScoreSummary::decode(joined.encoded()) == joined);
  const ScoreSummary few = join(draw(20, 5), {5, 15});
  CHECK(ScoreSummary::decode(few.encoded()) == few);
}

TEST_CASE("other bytes are no scores", "[score_summary]") {
  CHECK_FALSE(ScoreSummary::decode(""));
  const std::string bytes = join(draw(700, 6), {300, 400}).encoded();
  CHECK_FALSE(ScoreSummary::decode(bytes + "x"));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(ScoreSummary::decode(std::string_view(bytes).substr(0, size)));
  std::string other = bytes;
  other[0] = 2;
  CHECK_FALSE(ScoreSummary::decode(other));
}

TEST_CASE("two groups are compared as exactly as both are known", "[score_summary]") {
  const ScoreSummary few(std::vector<double>{.12341, .12342, .5});
  CHECK(few.counts(true).size() == 3);
  const auto rounded = few.counts(false);
  REQUIRE(rounded.size() == 2);
  CHECK(rounded[0].score == .123);
  CHECK(rounded[0].count == 2);
}
