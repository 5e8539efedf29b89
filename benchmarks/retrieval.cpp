// How well similar() finds what is known to be relevant: each document is recorded as an action and each query
// asked as a user would, beside BM25 over the same texts. Usage: retrieval [--data DIR] [--json]. DIR is laid
// out like ../shared/data; ACTIONHIST_DATA names another.
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <tuple>

#include <actionhist/actionhist.hpp>

#include "report.hpp"
#include "retrieval_sets.hpp"
#include "semantic/lexical_leg.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::benchmark;

struct Measure {
  double ndcg = 0;
  double recall = 0;
};

using Ranking = std::vector<std::string>;

// The mean over the queries of a set; `rank` gives the first ten documents for one.
template <class Rank>
Measure mean_over(const RetrievalSet& set, Rank rank) {
  Measure sum;
  for (const RetrievalQuery& query : set.queries) {
    const Ranking ranking = rank(query);
    sum.ndcg += ndcg_at_10(ranking, query.relevant);
    sum.recall += recall_at_10(ranking, query.relevant);
  }
  const auto n = static_cast<double>(set.queries.size());
  return {sum.ndcg / n, sum.recall / n};
}

Measure through_history(const RetrievalSet& set) {
  History history = open("memory:");
  std::vector<Action> actions;
  for (const RetrievalDoc& doc : set.docs) {
    Action& action = actions.emplace_back();
    action.action_id = doc.id;
    action.action_timestamp = system_now();
    action.action_type = "document";
    action.model_reasoning = doc.text;
    if (!doc.source.empty()) action.metadata = Json::object({{"source", doc.source}});
  }
  history.record(actions);
  if (!history.wait_indexed(std::chrono::minutes{5}))
    throw Error(ErrorCode::timeout, "the index does not catch up");
  return mean_over(set, [&](const RetrievalQuery& query) {
    SimilarQuery wanted{.text = query.text, .limit = 11};
    if (!query.source.empty()) wanted.where = Json::object({{"metadata.source", query.source}});
    Ranking ranking;
    for (const Hit& hit : history.similar(wanted)) {
      if (hit.trace.action_id != query.exclude && ranking.size() < 10) ranking.push_back(hit.trace.action_id);
    }
    return ranking;
  });
}

Measure through_bm25(const RetrievalSet& set) {
  LexicalLeg leg;
  Bitmap all(set.docs.size());
  for (std::uint32_t row = 0; row < set.docs.size(); ++row) {
    leg.add(row, set.docs[row].text);
    all.set(row);
  }
  return mean_over(set, [&](const RetrievalQuery& query) {
    LexicalLeg::Scores scores;
    leg.score(leg.parse(query.text), all, scores);
    std::vector<std::uint32_t> rows = scores.matched();
    std::ranges::sort(rows, [&](std::uint32_t a, std::uint32_t b) {
      return std::tuple(-scores.of(a), a) < std::tuple(-scores.of(b), b);
    });
    Ranking ranking;
    for (const std::uint32_t row : rows) {
      const RetrievalDoc& doc = set.docs[row];
      if (doc.id == query.exclude || (!query.source.empty() && doc.source != query.source)) continue;
      ranking.push_back(doc.id);
      if (ranking.size() == 10) break;
    }
    return ranking;
  });
}

void run(const std::filesystem::path& data, bool as_json) {
  Report report("retrieval", as_json);
  for (const RetrievalSet& set : load_retrieval_sets(data)) {
    const Measure ours = through_history(set);
    const Measure bm25 = through_bm25(set);
    report.add(set.name, "ndcg@10", ours.ndcg, "score", bm25.ndcg, ours.ndcg / bm25.ndcg);
    report.add(set.name, "recall@10", ours.recall, "share", bm25.recall, ours.recall / bm25.recall);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* given = std::getenv("ACTIONHIST_DATA");
  std::filesystem::path data = given != nullptr ? given : "../shared/data";
  bool as_json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      as_json = true;
    } else if (argument == "--data" && i + 1 < argc) {
      data = argv[++i];
    } else {
      std::cerr << "usage: retrieval [--data DIR] [--json]\n";
      return 2;
    }
  }
  try {
    run(data, as_json);
  } catch (const std::exception& error) {
    std::cerr << "retrieval: " << error.what() << '\n';
    return 1;
  }
}
