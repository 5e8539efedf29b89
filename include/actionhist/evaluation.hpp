// How well searches find what belongs together in the tenant's own history, space by space.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace actionhist {

struct EvaluationOptions {
  std::vector<std::string> spaces = {};  // all that this process has a model of, if empty
  int queries = 200;                     // at most, 1 to 10,000
  int documents = 20'000;                // the newest ones, 2 to 1,000,000
};

// Means over the queries, each in [0, 1].
struct SearchQuality {
  double ndcg = 0;    // of the first ten
  double recall = 0;  // of the relevant ones, ten at most, among the first ten
  double mrr = 0;     // 1 / rank of the first relevant one
};

struct SpaceQuality {
  std::string space_id;
  std::int64_t vectors = 0;  // of the documents
  SearchQuality vectors_alone;
  SearchQuality with_words;  // as similar() searches
};

// Each query is a stored action as it was known before anybody acted, without the name of its alert. Relevant
// are actions of the same type for the same alert (without one, the same kind of resource) in another
// correlation: grade 2 if they succeeded alike, else 1.
struct Evaluation {
  std::int64_t documents = 0;
  std::int64_t queries = 0;  // fewer than asked for when fewer actions have others like them
  SearchQuality words;       // BM25 alone, the baseline
  std::vector<SpaceQuality> spaces;
};

std::string to_json(const Evaluation& evaluation);

}  // namespace actionhist
