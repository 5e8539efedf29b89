#include <catch2/catch.hpp>

#include <actionhist/effectiveness.hpp>
#include <actionhist/error.hpp>

using namespace actionhist;

TEST_CASE("the score is the weighted mean of what was assessed") {
  CHECK(effectiveness_score({.health = 1, .alert = 1, .metrics = .8}) == .95);
  CHECK(*effectiveness_score({.health = 1, .alert = 0}) == Approx(.5333).margin(.0001));
  CHECK(effectiveness_score({.metrics = .75}) == .75);
  CHECK(effectiveness_score({.health = 0}) == 0);
  CHECK(effectiveness_score({.health = 1, .score = .4}) == .4);
}

TEST_CASE("nothing assessed gives no score, never zero") { CHECK_FALSE(effectiveness_score({}).has_value()); }

TEST_CASE("an assessment reads from JSON") {
  const Assessment assessment = parse_assessment(
      R"({"health": 1, "alert": null, "metrics": 0.8, "method": "manual", "notes": "ok",
          "criteria": {"alert_resolved": true}, "assessed_at": "2026-04-10T00:00:00Z"})");
  CHECK(assessment.health == 1.);
  CHECK_FALSE(assessment.alert.has_value());
  CHECK(assessment.method == "manual");
  CHECK(assessment.assessed_at == parse_time("2026-04-10T00:00:00Z"));
  CHECK(parse_assessment("{}").method == "automated");
}

TEST_CASE("a wrong assessment is refused by the name of its field") {
  CHECK_THROWS_WITH(parse_assessment(R"({"health": 1.5})"), "health: must be between 0 and 1");
  CHECK_THROWS_WITH(parse_assessment(R"({"score": -1})"), "score: must be between 0 and 1");
  CHECK_THROWS_WITH(parse_assessment(R"({"method": "guessed"})"),
                    "method: is none of automated, manual, ml-derived");
  CHECK_THROWS_WITH(parse_assessment(R"({"criteria": 1})"), "criteria: must be a JSON object");
  CHECK_THROWS_AS(parse_assessment(R"({"heatlh": 1})"), Error);
}
