#include "analysis/recommendation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "analysis/statistics.hpp"
#include "analysis/verbs.hpp"

namespace actionhist {
namespace {

constexpr double prior_strength = 4;
constexpr double even_odds = .5;
constexpr double tail = .1;
constexpr std::size_t max_examples = 5;
// Half a success and half a failure beside all that is known (Jeffreys), so that of what is unlike anything seen the
// quantiles say that nobody knows.
constexpr double unseen = .5;
// Below this similarity a case says next to nothing: 1/64 of what the best says.
constexpr double hardly_alike = .5;
// Below this likeness, texts have hardly more in common than any two have: a quarter of the words, or of hashed vectors a
// cosine of .24. Each public incident is above for those of its own scenario (scripts/bench recommend).
constexpr double alike = .15;
// All hits of a search have something in common with the situation, but only those near the best are the same
// one. On 40 public incidents the first answer is as often right for exponents from 4 to 8, within one case.
constexpr double sharpness = 6;
// Nobody knows how such a case ended: it counts as half a usual one.
constexpr double unknown_weight = .5;

double weight_of(const SimilarCase& similar) { return std::pow(similar.similarity, sharpness); }

struct Rate {
  double known = 0;
  double success = 0;

  void add(const Tally& tally) {
    known += static_cast<double>(tally.known);
    success += tally.success;
  }
  // The rate with the one of the wider level as a prior.
  double shrunk(double wider) const { return (success + prior_strength * wider) / (known + prior_strength); }
};

// What is known about one action type, however it is spelled.
struct Record {
  Rate everywhere;
  Rate alert;
  Rate space;  // the namespace
  Rate resource;
  std::int64_t actions = 0;
  bool fits = false;  // used on the same resource or for the same alert
  std::string name;
  std::vector<SimilarCase> cases;  // most similar first

  // The weight of the cases that it was chosen for, whatever came of it: how it ended counts in the posterior.
  double chosen() const {
    double sum = 0;
    for (const SimilarCase& similar : cases) sum += weight_of(similar);
    return sum;
  }

  // How far it is trusted: agents use each action where it fits, so its rate elsewhere says little about here.
  double likeness() const {
    const double usage = fits ? even_odds : 0;
    return cases.empty() ? usage : std::max(usage, weight_of(cases.front()));
  }

  double usual(double overall) const {
    return resource.shrunk(space.shrunk(alert.shrunk(everywhere.shrunk(overall))));
  }
};

using Records = std::map<std::string, Record>;

void add(Records& records, const Tally& tally) {
  Record& record = records[plain_type(tally.action_type)];
  if (record.name.empty()) record.name = tally.action_type;
  record.actions += tally.actions;
  record.everywhere.add(tally);
  if (tally.same_alert) record.alert.add(tally);
  if (tally.same_namespace) record.space.add(tally);
  if (tally.same_resource) record.resource.add(tally);
  record.fits |= tally.same_alert || tally.same_resource;
}

RecommendedCase example_of(const SimilarCase& similar) {
  const Trace& trace = *similar.trace;
  return {trace.action_id,  trace.time(),       trace.resource,
          trace.alert_name, similar.similarity, outcome_of(trace)};
}

// `ever` is how many outcomes are known of the type, `known` those of the similar cases.
std::string reason_of(const Recommendation& recommendation, double ever, double known, double success) {
  const auto usual = [&]() -> std::string {
    if (ever == 0) return "nobody knows how it usually ends";
    return fmt::format("it usually succeeds in {:.0f} %", recommendation.usual_success * 100);
  };
  if (!recommendation.supported) return fmt::format("no case like this is known; {}", usual());
  if (recommendation.similar_cases == 0) {
    return fmt::format("no similar case; {} for this alert or resource", usual());
  }
  if (recommendation.examples.front().similarity < hardly_alike) {
    return fmt::format("it was used in {} cases that are hardly like this one; {}",
                       recommendation.similar_cases, usual());
  }
  if (known == 0) {
    return fmt::format("{} similar cases, none of them assessed; {}", recommendation.similar_cases, usual());
  }
  return fmt::format("worked in {:.3g} of {:.0f} similar cases with a known outcome; {}", success, known,
                     usual());
}

Recommendation judge(const Record& record, double overall) {
  Recommendation out;
  out.action_type = record.name;
  out.all_cases = record.actions;
  out.similar_cases = static_cast<std::int64_t>(record.cases.size());
  out.usual_success = record.usual(overall);
  const double prior = prior_strength * record.likeness();
  double a = unseen + prior * out.usual_success;
  double b = unseen + prior * (1 - out.usual_success);
  double weights = 0;
  double squares = 0;
  double known = 0;
  double success = 0;
  for (const SimilarCase& similar : record.cases) {
    const double w = weight_of(similar);
    if (const auto outcome = outcome_of(*similar.trace)) {
      a += w * *outcome;
      b += w * (1 - *outcome);
      weights += w;
      squares += w * w;
      ++known;
      success += *outcome;
      const bool worked = *outcome > even_odds;
      if (worked && out.action_parameters.absent()) out.action_parameters = similar.trace->action_parameters;
    } else {
      a += unknown_weight * w * out.usual_success;
      b += unknown_weight * w * (1 - out.usual_success);
    }
    out.likeness = std::max(out.likeness, similar.likeness);
    if (out.examples.size() < max_examples) out.examples.push_back(example_of(similar));
  }
  out.supported = record.fits || out.likeness >= alike;
  out.expected_success = a / (a + b);
  out.lower = beta_quantile(a, b, tail);
  out.upper = beta_quantile(a, b, 1 - tail);
  out.effective_sample_size = squares > 0 ? weights * weights / squares : 0;
  out.reason = reason_of(out, std::max(record.everywhere.known, known), known, success);
  return out;
}

}  // namespace

std::optional<double> outcome_of(const Trace& trace) {
  if (trace.outcome.effectiveness_score) return trace.outcome.effectiveness_score;
  if (trace.outcome.status == Status::failed) return 0;
  return std::nullopt;
}

std::vector<Recommendation> rank_actions(std::span<const SimilarCase> cases, std::span<const Tally> tallies,
                                         bool explore) {
  Records records;
  Rate all;
  for (const Tally& tally : tallies) {
    add(records, tally);
    all.add(tally);
  }
  for (const SimilarCase& similar : cases) {
    Record& record = records[plain_type(similar.trace->action_type)];
    if (record.cases.empty()) record.name = similar.trace->action_type;
    record.cases.push_back(similar);
  }
  const double overall = all.shrunk(even_odds);
  double chosen = 0;
  for (const auto& [type, record] : records) chosen += record.chosen();
  // Agents choose what suits a situation, so that success alone would praise what works elsewhere: the share of
  // similar cases that an action was chosen for says whether it suits.
  struct Ranked {
    double worth = 0;
    Recommendation recommendation;
  };
  std::vector<Ranked> ranked;
  for (const auto& [type, record] : records) {
    if (record.cases.empty() && !record.fits) continue;
    Recommendation next = judge(record, overall);
    if (chosen > 0) next.share = record.chosen() / chosen;
    const double worth = explore ? next.upper * record.likeness() : next.lower * next.share * next.share;
    ranked.push_back({worth, std::move(next)});
  }
  std::ranges::stable_sort(ranked, [](const Ranked& x, const Ranked& y) {
    const auto key = [](const Ranked& r) {
      return std::tuple(-r.worth, -r.recommendation.lower, std::string_view(r.recommendation.action_type));
    };
    return key(x) < key(y);
  });
  std::vector<Recommendation> ranking;
  for (Ranked& each : ranked) ranking.push_back(std::move(each.recommendation));
  return ranking;
}

std::optional<Recommendation> alternative_to(std::string_view action_type, std::span<const Tally> tallies) {
  Records records;
  std::map<std::string, Rate> here;
  Rate all;
  for (const Tally& tally : tallies) {
    add(records, tally);
    all.add(tally);
    if (tally.same_alert || tally.same_resource) here[plain_type(tally.action_type)].add(tally);
  }
  const double overall = all.shrunk(even_odds);
  const auto judged = [&](const std::string& type) {
    const Record& record = records[type];
    const Rate& rate = here[type];
    Recommendation out;
    out.action_type = record.name.empty() ? type : record.name;
    out.all_cases = record.actions;
    out.usual_success = record.everywhere.shrunk(overall);
    out.effective_sample_size = rate.known;
    out.supported = rate.known > 0;
    const double a = unseen + prior_strength * out.usual_success + rate.success;
    const double b = unseen + prior_strength * (1 - out.usual_success) + rate.known - rate.success;
    out.expected_success = a / (a + b);
    out.lower = beta_quantile(a, b, tail);
    out.upper = beta_quantile(a, b, 1 - tail);
    out.reason = fmt::format("worked in {:.3g} of {:.0f} cases on this resource or for this alert",
                             rate.success, rate.known);
    return out;
  };
  const std::string refused = plain_type(action_type);
  const double least = judged(refused).lower;
  std::optional<Recommendation> best;
  for (const auto& [type, rate] : std::map(here)) {
    if (type == refused || rate.known == 0) continue;
    Recommendation other = judged(type);
    if (other.lower > least && (!best || other.lower > best->lower)) best = std::move(other);
  }
  return best;
}

bool advises_for(const Recommendation& recommendation) {
  return recommendation.supported &&
         std::ranges::any_of(recommendation.examples, [](const RecommendedCase& example) {
           return example.similarity >= hardly_alike && example.outcome > even_odds;
         });
}

bool advises_against(const Recommendation& recommendation) {
  if (recommendation.effective_sample_size == 0) return false;
  double known = 0;
  double failed = 0;
  for (const RecommendedCase& example : recommendation.examples) {
    if (!example.outcome) continue;
    ++known;
    failed += *example.outcome < even_odds;
  }
  return failed * 2 > known && (known >= 2 || recommendation.upper < even_odds);
}

}  // namespace actionhist
