#include "semantic/search.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "semantic/ranking.hpp"

namespace actionhist {
namespace {

constexpr int max_limit = 10'000;
constexpr std::size_t least_candidates = 200;  // of each leg: min–max needs to see more than the hits

[[noreturn]] void refuse(std::string_view field, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", field, why));
}

void check(const RowTable& table, const IndexQuery& query) {
  if (query.limit < 1 || query.limit > max_limit) refuse("limit", "must be 1 to 10000");
  if (!(query.vector_weight >= 0 && query.vector_weight <= 1)) refuse("vector_weight", "must be 0 to 1");
  if (query.threshold && !std::isfinite(*query.threshold)) refuse("threshold", "must be finite");
  if (!query.vector.empty()) table.vectors().check(query.vector, "vector");
}

class Search {
 public:
  Search(const RowTable& table, const IndexQuery& query, const Filter& filter)
      : table_(table),
        query_(query),
        limit_(static_cast<std::size_t>(query.limit)),
        by_vector_(!query.vector.empty()),
        vector_(table.vectors().prepare(query.vector)),
        terms_(table.lexical().parse(query.text)),
        allowed_(table.select(filter)) {
    if (const auto excluded = table.find(query.exclude_id)) allowed_.reset(*excluded);
    table.lexical().score(terms_, allowed_, scores());
  }

  std::vector<IndexHit> run() {
    std::vector<Candidate> candidates = score(choose());
    const auto better = [&](const Candidate& a, const Candidate& b) {
      return a.score != b.score ? a.score > b.score : table_.id_before(a.row, b.row);
    };
    const std::size_t kept = std::min(limit_, candidates.size());
    std::partial_sort(candidates.begin(), candidates.begin() + static_cast<std::ptrdiff_t>(kept),
                      candidates.end(), better);
    std::vector<IndexHit> hits;
    for (const Candidate& candidate : std::span(candidates).first(kept)) {
      if (query_.threshold && candidate.score < *query_.threshold) break;
      hits.push_back({table_.id(candidate.row), candidate.score, candidate.similarity, candidate.bm25,
                      table_.lexical().matched_terms(terms_, candidate.row)});
    }
    return hits;
  }

 private:
  // A thread runs one search at a time, so that the scores need not be allocated for each.
  static LexicalLeg::Scores& scores() {
    thread_local LexicalLeg::Scores scores;
    return scores;
  }

  // The rows that may be hits: the best of each leg and, if that is less than what is owed, any others.
  Bitmap choose() const {
    const std::size_t depth = std::max(least_candidates, 10 * limit_);
    const auto before = [this](std::uint32_t a, std::uint32_t b) { return table_.id_before(a, b); };
    std::vector<ScoredRow> best;
    for (const std::uint32_t row : scores().matched()) best.push_back({row, scores().of(row)});
    keep_best(best, depth, before);
    if (by_vector_) {
      const auto near = table_.vectors().nearest(vector_, allowed_, depth, before);
      best.insert(best.end(), near.begin(), near.end());
    }
    Bitmap chosen(allowed_.size());
    for (const ScoredRow& row : best) chosen.set(row.row);
    const std::size_t count = chosen.count();
    if (!by_vector_ || count >= limit_) return chosen;

    std::vector<ScoredRow> rest;
    allowed_.for_each([&](std::size_t row) {
      if (!chosen.test(row)) rest.push_back({static_cast<std::uint32_t>(row), 0});
    });
    keep_best(rest, limit_ - count, before);
    for (const ScoredRow& row : rest) chosen.set(row.row);
    return chosen;
  }

  std::vector<Candidate> score(const Bitmap& chosen) const {
    const VectorLeg& vectors = table_.vectors();
    std::vector<Candidate> candidates;
    double floor = 0;  // what a row without a vector gets
    bool near = false;
    chosen.for_each([&](std::size_t i) {
      const auto row = static_cast<std::uint32_t>(i);
      candidates.push_back({row, 0, scores().of(row)});
      if (!by_vector_ || !vectors.has(row)) return;
      candidates.back().similarity = vectors.similarity(vector_, row);
      floor = std::min(floor, candidates.back().similarity);
      near = true;
    });
    for (Candidate& candidate : candidates) {
      if (by_vector_ && !vectors.has(candidate.row)) candidate.similarity = floor;
    }
    // A leg that says nothing leaves the whole weight to the other. No direction is near to a zero vector.
    const bool by_distance = vectors.metric() == Metric::l2;
    if (!by_distance && std::ranges::all_of(vector_, [](float x) { return x == 0; })) near = false;
    const bool words = !scores().matched().empty();
    const double vector_weight = !near ? 0 : !words ? 1 : query_.vector_weight;
    fuse(candidates, vector_weight, words ? 1 - vector_weight : 0, by_distance);
    return candidates;
  }

  const RowTable& table_;
  const IndexQuery& query_;
  std::size_t limit_;
  bool by_vector_;
  std::vector<float> vector_;
  LexicalLeg::Query terms_;
  Bitmap allowed_;
};

}  // namespace

std::vector<IndexHit> search(const RowTable& table, const IndexQuery& query, const Filter& filter) {
  check(table, query);
  return Search(table, query, filter).run();
}

}  // namespace actionhist
