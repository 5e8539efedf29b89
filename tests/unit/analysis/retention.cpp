#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <actionhist/error.hpp>

#include "analysis/retention.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr auto day = std::chrono::days(1);

// An action so many days ago.
RetentionCandidate candidate(std::string id, int days_ago, std::optional<double> score = {},
                             Status status = Status::completed) {
  return {std::move(id), noon - days_ago * day, status, score};
}

RetentionFacts facts_of(std::vector<RetentionCandidate> candidates) {
  RetentionFacts facts;
  facts.total = static_cast<std::int64_t>(candidates.size());
  facts.candidates = std::move(candidates);
  return facts;
}

RetentionPlan plan(const RetentionPolicy& policy, const RetentionFacts& facts) {
  return plan_retention(policy, facts, noon, noon - 2h);
}

std::string ids(const RetentionPlan& plan) {
  std::string text;
  for (const ExpiringAction& action : plan.going) text += action.action_id + " ";
  return text;
}

}  // namespace

TEST_CASE("without a policy nothing is asked and nothing goes", "[retention]") {
  CHECK_FALSE(retention_question({}, 1'000'000, noon, noon));
  CHECK(plan({}, facts_of({candidate("a", 9999)})).going.empty());
}

TEST_CASE("what is older than the policy allows goes by age", "[retention]") {
  const RetentionPolicy policy{.max_age = 30 * day, .strategy = RetentionStrategy::oldest_first};
  const RetentionPlan p = plan(
      policy, facts_of({candidate("a", 40), candidate("b", 31, .9), candidate("c", 30), candidate("d", 1)}));
  CHECK(ids(p) == "a b ");
  CHECK(p.going[0].reason == RetentionReason::age);
  CHECK(p.records_before == 4);
}

TEST_CASE("too many actions: the oldest go", "[retention]") {
  const RetentionPolicy policy{.max_actions = 2, .strategy = RetentionStrategy::oldest_first};
  const RetentionPlan p =
      plan(policy, facts_of({candidate("a", 4), candidate("b", 3), candidate("c", 2), candidate("d", 1)}));
  CHECK(ids(p) == "a b ");
  CHECK(p.going[1].reason == RetentionReason::count);
}

TEST_CASE("the guard's window, pending actions and a legal hold keep", "[retention]") {
  RetentionPolicy policy{.max_actions = 1, .strategy = RetentionStrategy::oldest_first};
  const RetentionFacts facts = facts_of({candidate("open", 9, {}, Status::pending),
                                         candidate("old", 8),
                                         {"recent", noon - 1h, Status::completed, {}}});
  const RetentionPlan p = plan(policy, facts);
  CHECK(ids(p) == "old ");
  CHECK(p.kept_open == 1);
  CHECK(p.kept_guarded == 1);
  policy.max_age = 5 * day;
  CHECK(ids(plan(policy, facts)) == "open old ");
  policy.legal_hold = true;
  CHECK(plan(policy, facts).going.empty());
  CHECK_FALSE(retention_question(policy, 3, noon, noon));
}

TEST_CASE("a plan says how many of too many are in the guard's window", "[retention]") {
  // The store was not asked for the window, so only the total tells of it.
  RetentionFacts facts = facts_of({candidate("old", 8), candidate("open", 7, {}, Status::pending)});
  facts.total = 7;
  const RetentionPlan p = plan({.max_actions = 3, .strategy = RetentionStrategy::oldest_first}, facts);
  CHECK(ids(p) == "old ");
  CHECK(p.kept_open == 1);
  CHECK(p.kept_guarded == 5);
  CHECK(p.too_many_stay());
  CHECK_FALSE(plan({.max_actions = 7, .strategy = RetentionStrategy::oldest_first}, facts).too_many_stay());
}

TEST_CASE("effectiveness-based: the least effective go, and unassessed is not ineffective", "[retention]") {
  RetentionPolicy policy{.max_actions = 3, .strategy = RetentionStrategy::effectiveness_based};
  const RetentionFacts facts =
      facts_of({candidate("u1", 9), candidate("good", 8, .9), candidate("u2", 7), candidate("bad", 6, .1),
                candidate("fair", 5, .5), candidate("u3", 4)});
  // Three too many, half of them assessed: two by age or score each, rounded to the unassessed.
  CHECK(ids(plan(policy, facts)) == "u1 u2 bad ");
  policy.max_actions.reset();
  policy.min_effectiveness = .6;
  const RetentionPlan p = plan(policy, facts);
  CHECK(ids(p) == "bad fair ");
  CHECK(p.going[0].reason == RetentionReason::score);
}

TEST_CASE("what is cited and the best stay", "[retention]") {
  RetentionFacts facts = facts_of({candidate("a", 50), candidate("cited", 49), candidate("best", 48, .95)});
  facts.cited = {"cited"};
  facts.best = {"best"};
  const RetentionPlan p = plan({.max_age = 30 * day}, facts);
  CHECK(ids(p) == "a ");
  CHECK(p.kept_cited == 1);
  CHECK(p.kept_best == 1);
}

TEST_CASE("the question asks for what the strategy needs, and only for what may go", "[retention]") {
  RetentionPolicy policy{.max_age = 30 * day};
  const auto question = retention_question(policy, 10, noon, noon - 2h);
  REQUIRE(question);
  CHECK(question->before == noon - 30 * day);
  CHECK(question->best == 10);
  CHECK(question->examples == 5);
  policy.strategy = RetentionStrategy::oldest_first;
  CHECK(retention_question(policy, 10, noon, noon - 2h)->best == 0);
  CHECK(retention_question({.max_actions = 9}, 10, noon, noon - 2h)->before == noon - 2h);
  CHECK_FALSE(retention_question({.max_actions = 10}, 10, noon, noon - 2h));
}

TEST_CASE("any plan keeps its promises", "[retention]") {
  std::mt19937 random(11);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 2000; ++round) {
    std::vector<RetentionCandidate> candidates;
    RetentionFacts facts;
    for (int i = 0, n = below(40); i < n; ++i) {
      RetentionCandidate c = candidate("a" + std::to_string(i), below(60));
      if (below(2) == 0) c.score = below(11) / 10.;
      if (below(10) == 0) c.status = Status::executing;
      if (below(8) == 0) facts.cited.push_back(c.action_id);
      if (below(8) == 0 && c.score) facts.best.push_back(c.action_id);
      candidates.push_back(std::move(c));
    }
    std::ranges::sort(candidates, {}, [](const auto& c) { return std::pair(c.time, c.action_id); });
    facts.candidates = candidates;
    facts.total = static_cast<std::int64_t>(candidates.size());
    RetentionPolicy policy;
    policy.strategy = static_cast<RetentionStrategy>(below(3));
    if (below(3) > 0) policy.max_actions = 1 + below(30);
    if (below(3) > 0) policy.max_age = (1 + below(50)) * day;
    if (below(3) == 0) policy.min_effectiveness = .3;

    const RetentionPlan p = plan(policy, facts);
    std::map<std::string, RetentionReason> going;
    for (const ExpiringAction& action : p.going) going[action.action_id] = action.reason;
    CHECK(going.size() == p.going.size());
    const std::set<std::string> kept([&] {
      std::set<std::string> all(facts.cited.begin(), facts.cited.end());
      all.insert(facts.best.begin(), facts.best.end());
      return all;
    }());
    std::int64_t free = 0;  // that could have gone and stay
    std::optional<double> worst_kept;
    std::optional<double> best_gone;
    std::optional<TimePoint> oldest_kept;
    std::optional<TimePoint> newest_gone;
    for (const RetentionCandidate& c : candidates) {
      const bool goes = going.contains(c.action_id);
      const bool old = policy.max_age && c.time < noon - *policy.max_age;
      if (kept.contains(c.action_id) || c.time >= noon - 2h) {
        CHECK_FALSE(goes);
        continue;
      }
      CHECK((goes && going[c.action_id] == RetentionReason::age) == old);
      if (old) continue;
      if (c.status == Status::executing) {
        CHECK_FALSE(goes);
        continue;
      }
      const bool by_count = goes && going[c.action_id] == RetentionReason::count;
      if (!goes) ++free;
      if (c.score && by_count) best_gone = std::max(best_gone.value_or(0), *c.score);
      if (c.score && !goes) worst_kept = std::min(worst_kept.value_or(1), *c.score);
      if (!c.score && by_count) newest_gone = std::max(newest_gone.value_or(c.time), c.time);
      if (!c.score && !goes) oldest_kept = std::min(oldest_kept.value_or(c.time), c.time);
    }
    const auto left = facts.total - static_cast<std::int64_t>(p.going.size());
    if (policy.max_actions && free > 0) CHECK(left <= *policy.max_actions);
    if (policy.strategy == RetentionStrategy::effectiveness_based && best_gone && worst_kept)
      CHECK(*best_gone <= *worst_kept);
    if (newest_gone && oldest_kept) CHECK(*newest_gone <= *oldest_kept);

    // Once carried out, nothing more goes.
    RetentionFacts after = facts;
    std::erase_if(after.candidates, [&](const auto& c) { return going.contains(c.action_id); });
    after.total = left;
    CHECK(plan(policy, after).going.empty());
  }
}

TEST_CASE("a policy reads from JSON and comes back", "[retention]") {
  const RetentionPolicy policy = parse_retention_policy(
      R"({"max_actions": 1000, "max_age_days": 30, "compaction_strategy": "effectiveness-based",
          "min_effectiveness": 0.1, "pattern_examples": 3, "high_effectiveness": 7, "legal_hold": true,
          "compact": true})");
  CHECK(policy.max_actions == 1000);
  CHECK(policy.max_age == 30 * day);
  CHECK(policy.strategy == RetentionStrategy::effectiveness_based);
  CHECK(policy.legal_hold);
  CHECK(parse_retention_policy(to_json(policy)) == policy);
  CHECK(parse_retention_policy("{}") == RetentionPolicy{});
}

TEST_CASE("a wrong policy is refused by the name of its field", "[retention]") {
  CHECK_THROWS_WITH(parse_retention_policy(R"({"max_actions": 0})"),
                    "max_actions: must be between 1 and 1000000000");
  CHECK_THROWS_WITH(parse_retention_policy(R"({"max_age_days": -1})"),
                    "max_age_days: must be between 1 and 36600");
  CHECK_THROWS_WITH(parse_retention_policy(R"({"max_age_days": 9223372036854775807})"),
                    "max_age_days: must be between 1 and 36600");
  CHECK_THROWS_WITH(parse_retention_policy(R"({"compaction_strategy": "newest-first"})"),
                    Catch::StartsWith("compaction_strategy: \"newest-first\" is none of oldest-first"));
  CHECK_THROWS_WITH(parse_retention_policy(R"({"min_effectiveness": 2})"),
                    "min_effectiveness: must be between 0 and 1");
  CHECK_THROWS_WITH(parse_retention_policy(R"({"high_effectiveness": -1})"),
                    Catch::StartsWith("high_effectiveness: must be between 0"));
  CHECK_THROWS_AS(parse_retention_policy(R"({"max_age": 30})"), Error);
}
