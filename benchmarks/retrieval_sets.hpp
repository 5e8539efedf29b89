// Retrieval sets with known answers, read from a folder laid out like the project's shared data, and the two
// measures we judge them by.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace actionhist::benchmark {

struct RetrievalDoc {
  std::string id;
  std::string text;
  std::string source;  // what a query's `source` is compared with; empty if the set has none
};

struct RetrievalQuery {
  std::string id;
  std::string text;
  std::string exclude;                     // the id of a document that must not be returned, or empty
  std::string source;                      // only documents of this source may be returned; empty: all
  std::map<std::string, double> relevant;  // grades by document id
};

struct RetrievalSet {
  std::string name;
  std::vector<RetrievalDoc> docs;
  std::vector<RetrievalQuery> queries;
};

// The sets under `data`/retrieval: runbooks by description and by name, across communities, GitLab's, and
// similar incidents at alert time. Throws Error: not_found if a file is missing, invalid_argument if a line
// is not as expected.
std::vector<RetrievalSet> load_retrieval_sets(const std::filesystem::path& data);

// Of a ranking of document ids, best first. Gains are the grades themselves and the discount is
// 1 / log2(rank + 1), as in trec_eval's ndcg_cut_10.
double ndcg_at_10(std::span<const std::string> ranking, const std::map<std::string, double>& relevant);

// The share of the relevant documents (grade above 0) among the first ten, as in trec_eval's recall_10.
double recall_at_10(std::span<const std::string> ranking, const std::map<std::string, double>& relevant);

}  // namespace actionhist::benchmark
