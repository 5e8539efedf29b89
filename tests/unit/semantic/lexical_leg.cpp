#include "semantic/lexical_leg.hpp"

#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

using namespace actionhist;

namespace {

using Strings = std::vector<std::string>;

double score(const LexicalLeg& leg, std::string_view query, std::uint32_t row) {
  LexicalLeg::Scores scores;
  leg.score(leg.parse(query), Bitmap(1000, true), scores);
  return scores.of(row);
}

}  // namespace

TEST_CASE("BM25 is as Robertson and Spärck Jones wrote it", "[lexical_leg]") {
  LexicalLeg leg;
  leg.add(0, "disk full");
  leg.add(1, "disk disk pressure node");
  leg.add(2, "pod evicted");
  const double mean = (2 + 4 + 2) / 3.0;
  const double idf = std::log(1 + (3 - 2 + 0.5) / (2 + 0.5));
  CHECK(score(leg, "disk", 0) == Approx(idf * 1 * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / mean))));
  CHECK(score(leg, "disk", 1) == Approx(idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 4 / mean))));
  CHECK(score(leg, "disk", 2) == 0);
  CHECK(score(leg, "disk disk", 0) == Approx(2 * score(leg, "disk", 0)));
  CHECK(score(leg, "unknown", 0) == 0);
  CHECK(leg.parse("unknown words").terms.empty());
}

TEST_CASE("a removed row leaves every statistic", "[lexical_leg]") {
  LexicalLeg fresh;
  fresh.add(0, "disk full");
  fresh.add(1, "pod evicted from node");
  LexicalLeg leg;
  leg.add(0, "disk full");
  leg.add(1, "pod evicted from node");
  leg.add(2, "disk pressure disk pressure");
  leg.remove(2);
  leg.remove(2);
  CHECK(leg.rows() == 2);
  CHECK(leg.terms() == fresh.terms());
  CHECK(score(leg, "disk", 0) == Approx(score(fresh, "disk", 0)));
  CHECK(leg.parse("pressure").terms.empty());
}

TEST_CASE("a leg that has seen many changes scores like one that has seen none", "[lexical_leg]") {
  const auto text = [](int i) {
    return "pod web-" + std::to_string(i % 7) + " restarts " +
           std::string(static_cast<std::size_t>(i % 5), 'x');
  };
  LexicalLeg changed;
  for (int i = 0; i < 500; ++i) changed.add(static_cast<std::uint32_t>(i), text(i));
  for (int i = 0; i < 500; ++i) {
    if (i % 10 != 0) changed.remove(static_cast<std::uint32_t>(i));
  }
  LexicalLeg plain;
  LexicalLeg copied;
  for (std::uint32_t i = 0; i < 50; ++i) {
    plain.add(i, text(static_cast<int>(i) * 10));
    copied.add_from(i, changed, i * 10);
  }
  CHECK(changed.rows() == 50);
  for (std::uint32_t i = 0; i < 50; ++i) {
    CHECK(score(changed, "web-3 restarts", i * 10) == Approx(score(plain, "web-3 restarts", i)));
    CHECK(score(copied, "web-3 restarts", i) == Approx(score(plain, "web-3 restarts", i)));
  }
}

TEST_CASE("only allowed rows are scored, and scores do not linger", "[lexical_leg]") {
  LexicalLeg leg;
  leg.add(0, "disk");
  leg.add(1, "disk");
  leg.add(3, "pod");
  Bitmap allowed(4);
  allowed.set(1);
  allowed.set(3);
  LexicalLeg::Scores scores;
  leg.score(leg.parse("disk"), allowed, scores);
  CHECK(scores.matched() == std::vector<std::uint32_t>{1});
  CHECK(scores.of(0) == 0);
  leg.score(leg.parse("pod"), allowed, scores);
  CHECK(scores.matched() == std::vector<std::uint32_t>{3});
  CHECK(scores.of(1) == 0);
  CHECK(scores.of(999) == 0);
}

TEST_CASE("matched terms are the user's words, the heaviest first", "[lexical_leg]") {
  LexicalLeg leg;
  leg.add(0, "pods restarted: disk full on web-frontend");
  for (std::uint32_t i = 1; i < 20; ++i) leg.add(i, "pod restart");
  const auto query = leg.parse("Restarting the Web-Frontend POD, the pod!");
  CHECK(leg.matched_terms(query, 0) == Strings{"Web", "Frontend", "Web-Frontend", "POD", "Restarting"});
  CHECK(leg.matched_terms(query, 1) == Strings{"POD", "Restarting"});
  CHECK(leg.matched_terms(leg.parse("disk"), 1).empty());
  CHECK(leg.matched_terms(query, 999).empty());
}

TEST_CASE("a row without words is in no statistic", "[lexical_leg]") {
  LexicalLeg leg;
  leg.add(0, "");
  leg.add(1, "...");
  leg.add(2, "disk");
  CHECK(leg.rows() == 1);
  leg.remove(0);
  CHECK(score(leg, "disk", 2) > 0);
}
