#include "analysis/retention.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "core/json_io.hpp"

namespace actionhist {
namespace {

// The oldest actions that one plan looks at; a run plans again until nothing goes.
constexpr int max_candidates = 100'000;

using Candidates = std::vector<const RetentionCandidate*>;

bool by_score(const RetentionCandidate* a, const RetentionCandidate* b) {
  return std::tie(*a->score, a->time, a->action_id) < std::tie(*b->score, b->time, b->action_id);
}

// The `excess` of `rest` that goes. An unassessed action has no score to be compared by, so both kinds give
// way in proportion to their number: those by score, these by age.
Candidates least_effective(const Candidates& rest, std::size_t excess) {
  Candidates assessed;
  Candidates unassessed;
  for (const RetentionCandidate* candidate : rest)
    (candidate->score ? assessed : unassessed).push_back(candidate);
  std::ranges::sort(assessed, by_score);
  const std::size_t all = rest.size();
  const std::size_t by_age = std::min((excess * unassessed.size() + all / 2) / all, excess);
  const std::size_t worst = std::min(excess - by_age, assessed.size());
  assessed.resize(worst);
  unassessed.resize(excess - worst);
  assessed.insert(assessed.end(), unassessed.begin(), unassessed.end());
  return assessed;
}

bool too_many(const RetentionPolicy& policy, std::int64_t total) {
  return policy.max_actions && total > *policy.max_actions;
}

class Planner {
 public:
  Planner(const RetentionPolicy& policy, const RetentionFacts& facts, TimePoint now, TimePoint guarded_since)
      : policy_(policy),
        guarded_since_(guarded_since),
        cited_(facts.cited.begin(), facts.cited.end()),
        best_(facts.best.begin(), facts.best.end()) {
    if (policy.max_age) oldest_ = now - *policy.max_age;
    plan_.policy = policy;
    plan_.records_before = facts.total;
  }

  RetentionPlan plan(const RetentionFacts& facts) {
    Candidates rest;
    for (const RetentionCandidate& candidate : facts.candidates) {
      if (stays(candidate)) continue;
      if (oldest_ && candidate.time < *oldest_) {
        go(candidate, RetentionReason::age);
      } else if (!terminal(candidate.status)) {
        ++plan_.kept_open;
      } else if (ineffective(candidate)) {
        go(candidate, RetentionReason::score);
      } else {
        rest.push_back(&candidate);
      }
    }
    const std::int64_t left = facts.total - static_cast<std::int64_t>(plan_.going.size());
    if (too_many(policy_, left)) thin_out(rest, static_cast<std::size_t>(left - *policy_.max_actions));
    // Who asks for what is too many is given all that the guard does not need.
    if (too_many(policy_, facts.total) && !facts.more) {
      const auto looked_at = static_cast<std::int64_t>(facts.candidates.size());
      plan_.kept_guarded += std::max<std::int64_t>(facts.total - looked_at, 0);
    }
    std::ranges::sort(plan_.going, {},
                      [](const ExpiringAction& action) { return std::tie(action.time, action.action_id); });
    // Only a plan that takes something can make room for the next.
    plan_.partial = facts.more && !plan_.going.empty();
    return std::move(plan_);
  }

 private:
  bool stays(const RetentionCandidate& candidate) {
    std::int64_t* kept = nullptr;
    if (candidate.held) {
      kept = &plan_.kept_held;
    } else if (candidate.time >= guarded_since_) {
      kept = &plan_.kept_guarded;
    } else if (cited_.contains(candidate.action_id)) {
      kept = &plan_.kept_cited;
    } else if (best_.contains(candidate.action_id)) {
      kept = &plan_.kept_best;
    }
    if (kept != nullptr) ++*kept;
    return kept != nullptr;
  }

  bool ineffective(const RetentionCandidate& candidate) const {
    return policy_.strategy == RetentionStrategy::effectiveness_based && policy_.min_effectiveness &&
           candidate.score && *candidate.score < *policy_.min_effectiveness;
  }

  void thin_out(Candidates& rest, std::size_t excess) {
    excess = std::min(excess, rest.size());
    if (policy_.strategy == RetentionStrategy::effectiveness_based && excess > 0) {
      rest = least_effective(rest, excess);
    } else {
      rest.resize(excess);
    }
    for (const RetentionCandidate* candidate : rest) go(*candidate, RetentionReason::count);
  }

  void go(const RetentionCandidate& candidate, RetentionReason reason) {
    plan_.going.push_back({candidate.action_id, candidate.time, reason});
  }

  const RetentionPolicy& policy_;
  TimePoint guarded_since_;
  std::optional<TimePoint> oldest_;  // what is older goes by age
  std::unordered_set<std::string_view> cited_;
  std::unordered_set<std::string_view> best_;
  RetentionPlan plan_;
};

}  // namespace

std::optional<RetentionQuestion> retention_question(const RetentionPolicy& policy, std::int64_t total,
                                                    TimePoint now, TimePoint guarded_since) {
  const bool by_effectiveness = policy.strategy == RetentionStrategy::effectiveness_based;
  const bool any_age = too_many(policy, total) || (by_effectiveness && policy.min_effectiveness);
  if (policy.legal_hold || total == 0 || (!any_age && !policy.max_age)) return std::nullopt;
  RetentionQuestion question;
  question.before = any_age ? guarded_since : std::min(guarded_since, TimePoint(now - *policy.max_age));
  question.limit = max_candidates;
  question.now = now;
  if (policy.strategy != RetentionStrategy::oldest_first) question.best = policy.high_effectiveness;
  if (policy.strategy == RetentionStrategy::pattern_aware) question.examples = policy.pattern_examples;
  return question;
}

RetentionPlan plan_retention(const RetentionPolicy& policy, const RetentionFacts& facts, TimePoint now,
                             TimePoint guarded_since) {
  if (policy.legal_hold) {
    RetentionPlan plan;
    plan.policy = policy;
    plan.records_before = facts.total;
    return plan;
  }
  return Planner(policy, facts, now, guarded_since).plan(facts);
}

Json retention_criteria(const RetentionPolicy& policy) {
  JsonWriter writer;
  writer.begin_object();
  if (policy.max_actions) writer.member("max_actions", *policy.max_actions);
  if (policy.max_age) writer.member("max_age_days", static_cast<std::int64_t>(policy.max_age->count()));
  if (policy.min_effectiveness && policy.strategy == RetentionStrategy::effectiveness_based) {
    writer.member("min_effectiveness", *policy.min_effectiveness);
  }
  return Json::parse(writer.end_object().take(), "retention_criteria");
}

Json preserved_criteria(const RetentionPlan& plan, TimePoint guarded_since) {
  const RetentionPolicy& policy = plan.policy;
  JsonWriter writer;
  writer.begin_object().member("guarded_since", format_time(guarded_since));
  if (policy.strategy == RetentionStrategy::pattern_aware)
    writer.member("pattern_examples", policy.pattern_examples);
  if (policy.strategy != RetentionStrategy::oldest_first)
    writer.member("high_effectiveness", policy.high_effectiveness);
  writer.member("kept_cited", plan.kept_cited).member("kept_best", plan.kept_best);
  writer.member("kept_open", plan.kept_open).member("kept_held", plan.kept_held);
  return Json::parse(writer.end_object().take(), "preserved_criteria");
}

}  // namespace actionhist
