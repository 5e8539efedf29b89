// What the stored actions have in common, by the vectors of their texts.
#include <actionhist/discovery.hpp>

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analysis/trend.hpp"
#include "analysis/verbs.hpp"
#include "core/json_fields.hpp"
#include "embedding/unit_vector.hpp"
#include "history/cluster_terms.hpp"
#include "history/selection.hpp"
#include "history/state.hpp"
#include "history/subject.hpp"
#include "semantic/clustering.hpp"
#include "semantic/kernels.hpp"
#include "semantic/projection.hpp"

namespace actionhist {
namespace {

constexpr int most_clusters = 50;
constexpr int most_tried = 12;
constexpr std::size_t least_in_cluster = 3;  // on average, when their number is chosen
constexpr std::size_t name_terms = 3;
constexpr std::size_t most_types = 5;
constexpr std::size_t most_examples = 5;
constexpr std::size_t texts_at_once = 256;
constexpr std::size_t min_trend_days = 8;
constexpr double trend_level = .05;

void validate(const DiscoveryQuery& query) {
  require_between("actions", query.actions, 10, 10'000);
  if (query.seed < 0) refuse("seed", "must be at least 0");
}

// Actions with their texts and unit vectors. Those without any text are left out.
struct Embedded {
  std::vector<Trace> traces;  // oldest first
  std::vector<std::string> texts;
  std::vector<float> rows;
  std::size_t dimension = 0;
  bool complete = true;

  std::size_t size() const { return traces.size(); }
  const float* row(std::size_t i) const { return rows.data() + i * dimension; }
};

// The vectors of the index, where it has them and this process its model; other texts are embedded.
Embedded embed(Repository& repository, const IndexSlot& slot, const DiscoveryQuery& query) {
  ActionQuery wanted;
  wanted.where = query.where;
  wanted.since = query.since;
  wanted.until = query.until;
  Selection selection = select_newest(repository.actions(), wanted, static_cast<std::size_t>(query.actions));
  const auto index = slot.get();
  const bool indexed = index && index->model;
  const EmbeddingModel& model = indexed ? *index->model : slot.own_model();
  Embedded found;
  found.complete = selection.complete;
  found.dimension = model.dimension();
  std::vector<Trace>& traces = selection.traces;
  for (std::size_t begin = 0; begin < traces.size(); begin += texts_at_once) {
    const std::size_t count = std::min(traces.size() - begin, texts_at_once);
    std::vector<std::string> texts;
    std::vector<std::vector<float>> vectors(count);
    std::vector<std::size_t> lacking;
    std::vector<std::string_view> lacking_texts;
    texts.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      const Trace& trace = traces[begin + i];
      const std::string& text = texts.emplace_back(subject_text(trace));
      if (indexed) {
        if (auto kept = index->replica->vector_of(trace.action_id, content_hash_of(text)))
          vectors[i] = std::move(*kept);
      }
      if (!vectors[i].empty()) continue;
      lacking.push_back(i);
      lacking_texts.push_back(text);
    }
    std::vector<float> made(lacking.size() * found.dimension);
    if (!lacking.empty()) model.embed(lacking_texts, EmbeddingRole::document, made);
    for (std::size_t i = 0; i < lacking.size(); ++i) {
      const auto row = std::span(made).subspan(i * found.dimension, found.dimension);
      vectors[lacking[i]].assign(row.begin(), row.end());
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (!normalize(vectors[i])) continue;
      found.rows.insert(found.rows.end(), vectors[i].begin(), vectors[i].end());
      found.texts.push_back(std::move(texts[i]));
      found.traces.push_back(std::move(traces[begin + i]));
    }
  }
  return found;
}

// As many clusters as are best apart.
Clustering best_clustering(const Embedded& all, int seed) {
  Clustering best;
  const int most = std::min(most_tried, static_cast<int>(all.size() / least_in_cluster));
  for (int tried = 2; tried <= std::max(2, most); ++tried) {
    Clustering found = cluster(all.rows, all.dimension, tried, seed);
    if (tried > 2 && found.silhouette <= best.silhouette) continue;
    best = std::move(found);
  }
  return best;
}

std::string trend_of(const std::vector<TimePoint>& times, TimePoint from, TimePoint until) {
  const auto first = std::chrono::floor<std::chrono::days>(from);
  const auto days =
      static_cast<std::size_t>((std::chrono::floor<std::chrono::days>(until) - first).count()) + 1;
  if (days < min_trend_days) return "unknown";
  // Mann and Kendall's test compares all pairs; a year is enough of them.
  constexpr std::size_t most_days = 366;
  std::vector<double> counts(std::min(days, most_days), 0.);
  for (const TimePoint time : times) {
    const auto day = static_cast<std::size_t>((std::chrono::floor<std::chrono::days>(time) - first).count());
    if (day + counts.size() >= days) ++counts[day + counts.size() - days];
  }
  const Trend trend = mann_kendall(counts);
  if (trend.p >= trend_level || trend.direction == 0) return "steady";
  return trend.direction > 0 ? "growing" : "shrinking";
}

Cluster describe(const Embedded& all, const ClusterTerms& terms, const Clustering& found,
                 std::vector<std::size_t> members) {
  Cluster cluster;
  cluster.actions = static_cast<std::int64_t>(members.size());
  cluster.terms = terms.of(members);
  std::map<std::string, int> types;
  std::vector<TimePoint> times;
  double scores = 0;
  for (const std::size_t i : members) {
    const Trace& trace = all.traces[i];
    ++types[plain_type(trace.action_type)];
    times.push_back(trace.time());
    cluster.cohesion += found.cosines[i] / static_cast<double>(members.size());
    if (const auto& score = trace.outcome.effectiveness_score) {
      scores += *score;
      ++cluster.assessed;
    }
  }
  for (const auto& [type, count] : types) cluster.types.push_back(type);
  std::ranges::stable_sort(cluster.types, std::greater<>(), [&](const auto& type) { return types.at(type); });
  if (cluster.types.size() > most_types) cluster.types.resize(most_types);
  const auto named = std::min(name_terms, cluster.terms.size());
  cluster.name = fmt::format(
      "{}",
      fmt::join(cluster.terms.begin(), cluster.terms.begin() + static_cast<std::ptrdiff_t>(named), ", "));
  // A cluster without a word of its own is still of some type.
  if (cluster.name.empty()) cluster.name = cluster.types.front();
  cluster.cohesion = std::min(cluster.cohesion, 1.);  // a sum of rounded cosines may exceed it
  if (cluster.assessed > 0) cluster.effectiveness = scores / static_cast<double>(cluster.assessed);
  cluster.first_at = times.front();
  cluster.last_at = times.back();
  cluster.trend = trend_of(times, all.traces.front().time(), all.traces.back().time());
  std::ranges::stable_sort(members, std::greater<>(), [&](std::size_t i) { return found.cosines[i]; });
  for (std::size_t i = 0; i < members.size() && i < most_examples; ++i) {
    cluster.examples.push_back(all.traces[members[i]].action_id);
  }
  return cluster;
}

}  // namespace

Clusters History::clusters(const ClusterQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::pattern_discovery);
  validate(query);
  if (query.clusters != 0 && (query.clusters < 2 || query.clusters > most_clusters))
    refuse("clusters", "must be 0, or between 2 and 50");
  const Embedded all = embed(*state.repository, state.slot, query);
  Clusters answer;
  answer.actions = static_cast<std::int64_t>(all.size());
  answer.complete = all.complete;
  // Too few to be grouped.
  if (all.size() < std::max<std::size_t>(2 * least_in_cluster, static_cast<std::size_t>(query.clusters)))
    return answer;
  const Clustering found = query.clusters == 0 ? best_clustering(all, query.seed)
                                               : cluster(all.rows, all.dimension, query.clusters, query.seed);
  const std::vector<double> stable = stability(all.rows, all.dimension, found, query.seed);
  answer.silhouette = found.silhouette;
  const ClusterTerms terms(all.texts);
  std::vector<std::vector<std::size_t>> members(static_cast<std::size_t>(found.clusters));
  for (std::size_t i = 0; i < all.size(); ++i)
    members[static_cast<std::size_t>(found.cluster_of[i])].push_back(i);
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].empty()) continue;
    answer.clusters.push_back(describe(all, terms, found, std::move(members[i])));
    answer.clusters.back().stability = stable[i];
  }
  std::ranges::stable_sort(answer.clusters, std::greater<>(), &Cluster::actions);
  return answer;
}

std::vector<Duplicates> History::duplicates(const DuplicateQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::pattern_discovery);
  validate(query);
  if (!(query.threshold > 0 && query.threshold <= 1)) refuse("threshold", "must be above 0 and at most 1");
  const Embedded all = embed(*state.repository, state.slot, query);
  // Vectors have seven digits.
  const double least = query.threshold - 1e-6;
  std::vector<Duplicates> groups;
  std::vector<bool> taken(all.size(), false);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (taken[i]) continue;
    Duplicates group{{all.traces[i].action_id}, 1};
    for (std::size_t j = i + 1; j < all.size(); ++j) {
      if (taken[j]) continue;
      const double similarity = kernels().dot(all.row(i), all.row(j), all.dimension);
      if (similarity < least) continue;
      taken[j] = true;
      group.action_ids.push_back(all.traces[j].action_id);
      group.similarity = std::min(group.similarity, similarity);
    }
    if (group.action_ids.size() > 1) groups.push_back(std::move(group));
  }
  std::ranges::stable_sort(groups, std::greater<>(), [](const Duplicates& g) { return g.action_ids.size(); });
  return groups;
}

Projection History::projection(const ProjectionQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::pattern_discovery);
  validate(query);
  if (query.dimensions != 2 && query.dimensions != 3) refuse("dimensions", "must be 2 or 3");
  const Embedded all = embed(*state.repository, state.slot, query);
  Projection answer;
  answer.complete = all.complete;
  const auto dimensions = static_cast<std::size_t>(query.dimensions);
  if (all.dimension < dimensions) refuse("dimensions", fmt::format("the model has only {}", all.dimension));
  Components found = principal_components(all.rows, all.dimension, dimensions);
  answer.explained = std::move(found.explained);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto place = found.places.begin() + static_cast<std::ptrdiff_t>(i * dimensions);
    answer.points.push_back({all.traces[i].action_id,
                             all.traces[i].action_type,
                             {place, place + static_cast<std::ptrdiff_t>(dimensions)}});
  }
  return answer;
}

}  // namespace actionhist
