#include "semantic/search.hpp"

#include <algorithm>
#include <cmath>

#include "core/refuse.hpp"
#include "semantic/diversity.hpp"
#include "semantic/ranking.hpp"

namespace actionhist {
namespace {

constexpr int max_limit = 10'000;
constexpr std::size_t least_candidates = 200;  // of each leg: min–max needs to see more than the hits
// Among so many of the best for each hit, and at least and at most so many, maximal marginal relevance chooses.
constexpr std::size_t pool_factor = 10, least_pool = 50, most_pool = 1000;

void check(const RowTable& table, const IndexQuery& query) {
  if (query.ef_search < 0) refuse("ef_search", "must not be negative");
  require_between("limit", query.limit, 1, max_limit);
  require_between("vector_weight", query.vector_weight, 0, 1);
  if (query.threshold && !std::isfinite(*query.threshold)) refuse("threshold", "must be finite");
  if (query.percentile && query.vector.empty()) refuse("percentile", "needs a vector");
  require_between("mmr_lambda", query.mmr_lambda, 0, 1);
  if (query.distinct && !std::isfinite(*query.distinct)) refuse("distinct", "must be finite");
  table.vectors().check_weights(query.weights);
  if (!query.vector.empty()) table.vectors().check(query.vector, "vector");
}

class Search {
 public:
  Search(const RowTable& table, const IndexQuery& query, const Filter& filter,
         std::optional<double> least_similarity, SearchPlan* plan)
      : table_(table),
        query_(query),
        least_similarity_(least_similarity),
        plan_(plan),
        limit_(static_cast<std::size_t>(query.limit)),
        terms_(table.lexical().parse(query.text)) {
    if (!query.vector.empty()) {
      prepared_ = table.vectors().prepare(query.vector);
      vector_ = table.vectors().query(prepared_, query.weights);
    }
    if (!query.exclude_id.empty()) excluded_ = table.find(query.exclude_id);
    filtered_ = excluded_ || filter.op != Filter::Op::all || !filter.children.empty();
    if (filtered_) {
      allowed_ = table.select(filter);
      if (excluded_) allowed_.reset(*excluded_);
    }
    table.lexical().score(terms_, allowed(), scores());
    words_ = !scores().matched().empty();
  }

  std::vector<IndexHit> run() {
    std::vector<IndexHit> hits;
    for (const Candidate& candidate : chosen()) {
      const double distance =
          table_.vectors().metric() == Metric::cosine ? 1 - candidate.similarity : -candidate.similarity;
      hits.push_back({table_.id(candidate.row), candidate.score, candidate.similarity, distance,
                      candidate.bm25, table_.lexical().matched_terms(terms_, candidate.row),
                      vector_ && table_.vectors().has(candidate.row)
                          ? table_.vectors().part_cosines(prepared_, candidate.row)
                          : std::vector<double>()});
    }
    return hits;
  }

 private:
  // A thread runs one search at a time, so that the scores need not be allocated for each.
  static LexicalLeg::Scores& scores() {
    thread_local LexicalLeg::Scores scores;
    return scores;
  }

  const Bitmap& allowed() const { return filtered_ ? allowed_ : table_.alive(); }

  // The hits, in their order.
  std::vector<Candidate> chosen() const {
    std::size_t owed = limit_;
    if (query_.mmr_lambda) owed = std::max(limit_, std::clamp(pool_factor * limit_, least_pool, most_pool));
    std::vector<Candidate> hits;
    if (query_.distinct) {
      // How many of the best repeat others is known when they are there.
      for (std::size_t seen = owed;; seen = std::min(4 * seen, std::size_t{max_limit})) {
        const std::vector<Candidate> candidates = best(seen);
        hits = distinct(candidates, table_.vectors(), *query_.distinct, excluded_, owed);
        if (hits.size() == owed || candidates.size() < seen || seen == max_limit) break;
      }
    } else {
      hits = best(owed);
    }
    if (query_.mmr_lambda) hits = by_marginal_relevance(hits, table_.vectors(), *query_.mmr_lambda, limit_);
    return hits;
  }

  // The best `count` rows by score, or all that the query lets pass.
  std::vector<Candidate> best(std::size_t count) const {
    std::vector<Candidate> candidates = score(choose(count));
    std::erase_if(candidates, [this](const Candidate& candidate) {
      if (query_.threshold && candidate.score < *query_.threshold) return true;
      if (!least_similarity_) return false;
      return !table_.vectors().has(candidate.row) || candidate.similarity < *least_similarity_;
    });
    const auto better = [&](const Candidate& a, const Candidate& b) {
      return a.score != b.score ? a.score > b.score : table_.id_before(a.row, b.row);
    };
    const std::size_t kept = std::min(count, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                      candidates.end(), better);
    candidates.resize(kept);
    return candidates;
  }

  // The rows that may be among the best `count`, by number: the best of each leg and, if these are fewer, any
  // others.
  std::vector<std::uint32_t> choose(std::size_t count) const {
    const std::size_t depth = words_ ? std::max(least_candidates, 10 * count) : count;
    const auto before = [this](std::uint32_t a, std::uint32_t b) { return table_.id_before(a, b); };
    std::vector<ScoredRow> best;
    for (const std::uint32_t row : scores().matched()) best.push_back({row, scores().of(row)});
    keep_best(best, depth, before);
    if (vector_) {
      const auto near = nearest(depth, before);
      best.insert(best.end(), near.begin(), near.end());
    }
    std::vector<std::uint32_t> chosen;
    chosen.reserve(best.size());
    for (const ScoredRow& row : best) chosen.push_back(row.row);
    std::ranges::sort(chosen);
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    if (!vector_ || chosen.size() >= count) return chosen;

    std::vector<ScoredRow> rest;
    allowed().for_each([&](std::size_t row) {
      if (!std::ranges::binary_search(chosen, row)) rest.push_back({static_cast<std::uint32_t>(row), 0});
    });
    keep_best(rest, count - chosen.size(), before);
    for (const ScoredRow& row : rest) chosen.push_back(row.row);
    return chosen;
  }

  std::vector<ScoredRow> nearest(std::size_t count,
                                 const std::function<bool(std::uint32_t, std::uint32_t)>& before) const {
    VectorLeg::Request request;
    request.allowed = filtered_ ? &allowed_ : nullptr;
    request.matching = filtered_ ? allowed_.count() : table_.vectors().rows();
    request.count = count;
    request.width =
        static_cast<std::size_t>(query_.ef_search > 0 ? query_.ef_search : table_.options().ef_search);
    request.before = before;
    VectorLeg::Answer answer = table_.vectors().nearest(*vector_, request);
    if (plan_ != nullptr) {
      plan_->route = to_string(answer.route);
      plan_->why = answer.why;
      plan_->distances = answer.distances;
      plan_->ef_search = answer.width;
    }
    return std::move(answer.rows);
  }

  std::vector<Candidate> score(const std::vector<std::uint32_t>& chosen) const {
    const VectorLeg& vectors = table_.vectors();
    std::vector<Candidate> candidates;
    candidates.reserve(chosen.size());
    double floor = 0;  // what a row without a vector gets
    bool near = false;
    for (const std::uint32_t row : chosen) {
      candidates.push_back({row, 0, scores().of(row)});
      if (!vector_ || !vectors.has(row)) continue;
      candidates.back().similarity = vectors.similarity(*vector_, row);
      floor = std::min(floor, candidates.back().similarity);
      near = true;
    }
    for (Candidate& candidate : candidates) {
      if (vector_ && !vectors.has(candidate.row)) candidate.similarity = floor;
    }
    // A leg that says nothing leaves the whole weight to the other. No direction is near to a zero vector.
    const bool by_distance = vectors.metric() == Metric::l2;
    if (vector_ && !by_distance && std::ranges::all_of(vector_->values, [](float x) { return x == 0; }))
      near = false;
    if (near && !words_) {
      for (Candidate& candidate : candidates)
        candidate.score = vectors.has(candidate.row) ? score_of(candidate.similarity, vectors.metric()) : 0;
      return candidates;
    }
    const double vector_weight = !near ? 0 : query_.vector_weight;
    fuse(candidates, vector_weight, words_ ? 1 - vector_weight : 0, by_distance);
    return candidates;
  }

  const RowTable& table_;
  const IndexQuery& query_;
  std::optional<double> least_similarity_;
  SearchPlan* plan_;
  std::size_t limit_;
  LexicalLeg::Query terms_;
  std::vector<float> prepared_;  // the vector, before its parts were weighed
  std::optional<Vectors::Query> vector_;
  std::optional<std::uint32_t> excluded_;
  bool filtered_ = false;
  bool words_ = false;
  Bitmap allowed_;  // of a filtered search
};

}  // namespace

std::vector<IndexHit> search(const RowTable& table, const IndexQuery& query, const Filter& filter,
                             std::optional<double> least_similarity, SearchPlan* plan) {
  check(table, query);
  if (plan != nullptr) {
    *plan = {.route = "nothing", .why = "the query has no vector"};
    plan->rows = plan->matching = table.alive().count();
    plan->linked = table.vectors().linked();
    if (filter.op != Filter::Op::all || !filter.children.empty())
      plan->matching = table.select(filter).count();
  }
  return Search(table, query, filter, least_similarity, plan).run();
}

}  // namespace actionhist
