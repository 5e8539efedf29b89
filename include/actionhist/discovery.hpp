// What the stored actions have in common: groups of similar ones with names, near-duplicates, and a picture of them.
// Plain values. The same memory, query and seed give the same answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>

namespace actionhist {

// Which actions to look at, compared by the vectors of their texts: the newest that match.
struct DiscoveryQuery {
  Json where;                      // as in ActionQuery
  std::optional<TimePoint> since;  // inclusive
  std::optional<TimePoint> until;  // exclusive
  int actions = 2000;              // 10 to 10,000
  int seed = 1;                    // at least 0
};

struct ClusterQuery : DiscoveryQuery {
  int clusters = 0;  // 2 to 50, or 0: as many as separate best, up to 12
};

// Actions that are like each other.
struct Cluster {
  std::string name;                // its first terms: "memory, oom, limit"
  std::vector<std::string> terms;  // words that are frequent here and not elsewhere, the most telling first
  std::vector<std::string> types;  // its action types, the most frequent first; at most five
  std::int64_t actions = 0;
  double cohesion = 0;   // mean cosine with its centre
  double stability = 0;  // how much of it comes back without a fifth of the actions; above .75 is stable
  std::int64_t assessed = 0;
  std::optional<double> effectiveness;  // mean of the assessed ones
  std::string trend;  // of its actions a day: growing, steady, shrinking; unknown below 8 days
  TimePoint first_at{};
  TimePoint last_at{};
  std::vector<std::string> examples;  // ids of at most five actions nearest to the centre
};

struct Clusters {
  std::vector<Cluster> clusters;  // largest first
  std::int64_t actions = 0;       // looked at
  bool complete = true;           // false: there were more
  double silhouette = 0;          // how well they are apart, −1 to 1
};

struct DuplicateQuery : DiscoveryQuery {
  double threshold = .95;  // the least cosine of actions that are taken for the same, above 0 and at most 1
};

// Actions that say nearly the same, each of them like the first.
struct Duplicates {
  std::vector<std::string> action_ids;  // at least two, oldest first
  double similarity = 0;                // the least cosine with the first
};

struct ProjectionQuery : DiscoveryQuery {
  int dimensions = 2;  // 2 or 3
};

struct ProjectedAction {
  std::string action_id;
  std::string action_type;
  std::vector<double> at;  // its place, one number a dimension
};

// The actions as points, so that near ones are alike: the first principal components of their vectors.
struct Projection {
  std::vector<ProjectedAction> points;  // oldest first
  std::vector<double> explained;        // the share of the variance that each dimension shows
  bool complete = true;                 // false: there were more
};

std::string to_json(const Cluster& cluster);
std::string to_json(const Clusters& clusters);
std::string to_json(const Duplicates& duplicates);
std::string to_json(const Projection& projection);

// {"where", "since", "until", "actions", "seed"} and what the query has beside it.
// Throw Error: invalid_argument, naming the field.
ClusterQuery parse_cluster_query(std::string_view json);
DuplicateQuery parse_duplicate_query(std::string_view json);
ProjectionQuery parse_projection_query(std::string_view json);

}  // namespace actionhist
