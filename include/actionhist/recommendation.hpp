// What to do in a situation, learned from what was done in situations like it. Plain values.
// What is said here is an association: agents choose harsher actions for harsher incidents, so a low rate
// does not prove that an action is bad.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>

namespace actionhist {

// The situation: in words, by its alert, by its resource, or as that of a stored action; at least one.
struct RecommendQuery {
  std::string text;
  std::string alert_name;
  std::string alert_severity;
  Resource resource;
  std::string action_id;  // the situation of this action, without itself
  Json where;             // which past actions may speak, as in ActionQuery
  int limit = 5;          // of each list, 1 to 100
  int neighbours = 20;    // how many similar actions are heard, 1 to 500
  bool explore = false;   // rank by the upper quantile, so that what is little known but alike is tried
  bool fresh = false;     // first wait until everything recorded so far is searchable
};

// A past action that speaks for or against.
struct RecommendedCase {
  std::string action_id;
  TimePoint time{};
  Resource resource;
  std::string alert_name;
  double similarity = 0;          // 0 to 1, of the best; its outcome weighs similarity⁶
  std::optional<double> outcome;  // its effectiveness, 0 if it failed, absent if nobody knows
};

// Quantiles are of a Beta posterior. Its prior is the rate of this type on the resource, shrunk towards its rate in
// the namespace, for the alert, and everywhere; it is worth four actions, and less as far as the best case is unlike
// the situation. Of what was only used in other situations the quantiles are far apart, and `reason` says so.
struct Recommendation {
  std::string action_type;
  double expected_success = 0;  // mean of the posterior
  double lower = 0;             // its 10 % quantile; the ranking goes by lower · share²
  double upper = 0;             // its 90 % quantile
  double usual_success = 0;     // the rate of the type before similar cases are heard
  // How like the situation the best case is, by itself: 0 where they have no more in common than a question of another
  // world has with its best case, 1 where they are the same; by the cosine of their texts or, if that is more, by the part
  // of the words in the situation's text and alert name that the case has.
  double likeness = 0;
  // Whether a case that is like the situation speaks, or one for the same alert or on the same resource. If not, what
  // is said is what usually holds, whatever the situation is.
  bool supported = false;
  double share = 0;                  // of the similar cases, by weight, those that this type was chosen for
  double effective_sample_size = 0;  // Kish's, of the similar cases with a known outcome
  std::int64_t similar_cases = 0;    // heard, with and without an outcome
  std::int64_t all_cases = 0;        // actions of the type among the newest
  Json action_parameters;            // of the most similar case that worked
  std::vector<RecommendedCase> examples;  // at most five, most similar first
  std::string reason;                     // one sentence for people
};

struct Recommendations {
  std::vector<Recommendation> actions;  // best first
  std::vector<Recommendation> avoid;    // worst first; `reason` says why
  double likeness = 0;                  // of the best case there is
  bool supported = false;               // any of them is; if not, nothing like the situation is known
  std::string fallback;                 // why the words of the database were searched, empty for the index
};

// A query from JSON in these names, with the resource as `resource` or its parts beside the rest.
// Throws Error: invalid_argument, naming the field.
RecommendQuery parse_recommend_query(std::string_view json);

std::string to_json(const Recommendation& recommendation);
std::string to_json(const Recommendations& recommendations);

}  // namespace actionhist
