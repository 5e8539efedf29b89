#include <catch2/catch.hpp>

#include "analysis/recommendation.hpp"

using namespace actionhist;

namespace {

// Cases of a situation, most similar first.
class Cases {
 public:
  Cases& add(std::string type, std::optional<double> score, double similarity = 1) {
    Trace& trace = traces_.emplace_back();
    trace.action_id = std::to_string(traces_.size());
    trace.action_timestamp = parse_time("2026-03-10T12:00:00Z");
    trace.action_type = std::move(type);
    trace.action_parameters = Json::object({{"case", trace.action_id}});
    trace.outcome.status = Status::completed;
    trace.outcome.effectiveness_score = score;
    similarities_.push_back(similarity);
    return *this;
  }

  std::vector<Recommendation> rank(bool explore = false, std::span<const Tally> tallies = {}) const {
    std::vector<SimilarCase> cases;
    for (std::size_t i = 0; i < traces_.size(); ++i) cases.push_back({&traces_[i], similarities_[i]});
    return rank_actions(cases, tallies, explore);
  }

 private:
  std::vector<Trace> traces_;
  std::vector<double> similarities_;
};

}  // namespace

TEST_CASE("what worked ranks before what failed", "[recommendation]") {
  const auto ranking =
      Cases().add("restart", .1).add("rollback", .9).add("restart", .0).add("rollback", 1.).rank();
  REQUIRE(ranking.size() == 2);
  CHECK(ranking[0].action_type == "rollback");
  CHECK(ranking[0].expected_success > ranking[1].expected_success);
  CHECK(ranking[0].lower < ranking[0].expected_success);
  CHECK(ranking[0].upper > ranking[0].expected_success);
  CHECK(ranking[0].effective_sample_size == Approx(2));
  CHECK(ranking[0].action_parameters == Json::object({{"case", "2"}}));
  CHECK(advises_for(ranking[0]));
  CHECK_FALSE(advises_against(ranking[0]));
  CHECK_FALSE(advises_for(ranking[1]));
  CHECK(advises_against(ranking[1]));
}

TEST_CASE("a case far from the situation says little", "[recommendation]") {
  const auto ranking = Cases().add("rollback", .8).add("restart", 1., .3).add("restart", 1., .3).rank();
  CHECK(ranking[0].action_type == "rollback");
  CHECK(ranking[1].share < .01);
}

TEST_CASE("what was used in other situations only says that nobody knows", "[recommendation]") {
  Cases cases;
  cases.add("rollback", .7).add("cordon_node", 1., .3).add("cordon_node", 1., .2);
  const auto ranking = cases.rank();
  REQUIRE(ranking.size() == 2);
  const Recommendation& unlike = ranking[1];
  CHECK(unlike.action_type == "cordon_node");
  CHECK(unlike.lower < .1);
  CHECK(unlike.upper > .9);
  CHECK(unlike.reason.find("2 cases that are hardly like this one") != unlike.reason.npos);
  CHECK(ranking[0].reason.find("hardly") == ranking[0].reason.npos);
  CHECK(cases.rank(true)[0].action_type == "rollback");
  CHECK(advises_for(ranking[0]));
  CHECK_FALSE(advises_for(unlike));
}

TEST_CASE("the share says what was chosen, however it ended", "[recommendation]") {
  for (const Recommendation& each : Cases().add("rollback", 0.).add("restart", 1.).rank())
    CHECK(each.share == .5);
}

TEST_CASE("an action without a known outcome is no failure", "[recommendation]") {
  const auto ranking = Cases().add("rollback", {}).add("restart", 0.).rank();
  CHECK(ranking[0].action_type == "rollback");
  CHECK(ranking[0].effective_sample_size == 0);
  CHECK(ranking[0].similar_cases == 1);
  CHECK_FALSE(advises_against(ranking[0]));
}

TEST_CASE("spellings of one type are one type, named as in the most similar case", "[recommendation]") {
  const auto ranking = Cases().add("RollbackDeployment", 1.).add("rollback_deployment", 1., .9).rank();
  REQUIRE(ranking.size() == 1);
  CHECK(ranking[0].action_type == "RollbackDeployment");
  CHECK(ranking[0].similar_cases == 2);
}

TEST_CASE("few cases are shrunk towards the usual rate, many are not", "[recommendation]") {
  const std::array<Tally, 1> mostly_fails{{{"rollback", false, false, false, 100, 100, 10}}};
  Cases one;
  one.add("rollback", 1.);
  Cases many;
  for (int i = 0; i < 40; ++i) many.add("rollback", 1.);
  const double after_one = one.rank(false, mostly_fails).front().expected_success;
  const double after_many = many.rank(false, mostly_fails).front().expected_success;
  CHECK(after_one < .5);
  CHECK(after_many > .85);
}

TEST_CASE("the resource's own rate counts before the namespace's, the alert's and everybody's",
          "[recommendation]") {
  Cases cases;
  cases.add("rollback", {});
  const auto usual = [&](bool alert, bool space, bool resource) {
    const std::array<Tally, 2> tallies{{{"rollback", alert, space, resource, 20, 20, 0},  // fails here
                                        {"rollback", false, false, false, 20, 20, 20}}};  // works elsewhere
    return cases.rank(false, tallies).front().usual_success;
  };
  const double everywhere = usual(false, false, false);
  const double for_alert = usual(true, false, false);
  const double in_namespace = usual(true, true, false);
  const double on_resource = usual(true, true, true);
  CHECK(everywhere == Approx(.5));
  CHECK(for_alert < everywhere);
  CHECK(in_namespace < for_alert);
  CHECK(on_resource < in_namespace);
}

TEST_CASE("only to explore, what is little known goes first", "[recommendation]") {
  Cases cases;
  for (int i = 0; i < 30; ++i) cases.add("rollback", i % 10 < 7 ? 1. : 0.);
  cases.add("resize", 1.);
  CHECK(cases.rank().front().action_type == "rollback");
  CHECK(cases.rank(true).front().action_type == "resize");
}

TEST_CASE("without any case there is no recommendation", "[recommendation]") {
  CHECK(Cases().rank().empty());
  const std::array<Tally, 1> elsewhere{{{"rollback", false, false, false, 5, 5, 5}}};
  CHECK(Cases().rank(false, elsewhere).empty());
  const std::array<Tally, 1> same_alert{{{"rollback", true, false, false, 5, 5, 5}}};
  CHECK(Cases().rank(false, same_alert).size() == 1);
}
