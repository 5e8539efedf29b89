// How well similar() finds what is known to be relevant: each document is recorded as an action and each query
// asked as a user would, with the built-in model and with one fitted on the documents; beside BM25 over the same
// texts, and beside the cosine of their character 3- to 5-grams. Then whether similar incidents name the action
// that was chosen. Usage: retrieval [--data DIR] [--json]. DIR is laid
// out like ../shared/data; ACTIONHIST_DATA names another.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>
#include <unordered_map>

#include <actionhist/actionhist.hpp>

#include "data_main.hpp"
#include "incidents.hpp"
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

struct Ours {
  Measure built_in;
  Measure fitted;
};

Ours through_history(const RetrievalSet& set) {
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
  const auto ask = [&](const RetrievalQuery& query) {
    SimilarQuery wanted{.text = query.text, .limit = 11};
    if (!query.source.empty()) wanted.where = Json::object({{"metadata.source", query.source}});
    Ranking ranking;
    for (const Hit& hit : history.similar(wanted)) {
      if (hit.trace.action_id != query.exclude && ranking.size() < 10) ranking.push_back(hit.trace.action_id);
    }
    return ranking;
  };
  Ours ours;
  ours.built_in = mean_over(set, ask);
  history.switch_space(history.fit_space().space_id, {.force = true});
  if (!history.wait_indexed(std::chrono::minutes{5}))
    throw Error(ErrorCode::timeout, "the index does not catch up");
  ours.fitted = mean_over(set, ask);
  return ours;
}

// The first ten rows that may be hits, best first.
Ranking best_rows(const RetrievalSet& set, const RetrievalQuery& query, std::vector<std::uint32_t> rows,
                  const std::function<double(std::uint32_t)>& score) {
  std::ranges::sort(rows, [&](std::uint32_t a, std::uint32_t b) {
    return std::tuple(-score(a), a) < std::tuple(-score(b), b);
  });
  Ranking ranking;
  for (const std::uint32_t row : rows) {
    const RetrievalDoc& doc = set.docs[row];
    if (doc.id == query.exclude || (!query.source.empty() && doc.source != query.source)) continue;
    ranking.push_back(doc.id);
    if (ranking.size() == 10) break;
  }
  return ranking;
}

// The cosine of counts of character 3- to 5-grams, as a baseline that knows nothing of words.
Measure through_grams(const RetrievalSet& set) {
  using Counts = std::unordered_map<std::string, double>;
  const auto counts_of = [](std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    Counts counts;
    for (std::size_t n = 3; n <= 5; ++n) {
      for (std::size_t i = 0; i + n <= text.size(); ++i) ++counts[text.substr(i, n)];
    }
    double squares = 0;
    for (const auto& [gram, count] : counts) squares += count * count;
    for (auto& [gram, count] : counts) count /= std::sqrt(squares);
    return counts;
  };
  std::vector<Counts> docs;
  for (const RetrievalDoc& doc : set.docs) docs.push_back(counts_of(doc.text));
  std::vector<std::uint32_t> all(docs.size());
  std::iota(all.begin(), all.end(), 0);
  return mean_over(set, [&](const RetrievalQuery& query) {
    const Counts asked = counts_of(query.text);
    std::vector<double> scores(docs.size(), 0);
    for (std::size_t row = 0; row < docs.size(); ++row) {
      for (const auto& [gram, count] : asked) {
        const auto found = docs[row].find(gram);
        if (found != docs[row].end()) scores[row] += count * found->second;
      }
    }
    return best_rows(set, query, all, [&](std::uint32_t row) { return scores[row]; });
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
    return best_rows(set, query, scores.matched(), [&](std::uint32_t row) { return scores.of(row); });
  });
}

// Of the incidents on which somebody acted, so many find one of the others with the same action among five.
struct IncidentAccuracy {
  double by_alert = 0;  // with what is known when the alert fires: its name, severity and kind
  double by_cause = 0;  // with the root cause in words
  double by_match = 0;  // those that equal it in alert, severity and kind, the newest five
};

IncidentAccuracy incident_accuracy(const std::filesystem::path& data) {
  const std::vector<Incident> incidents = read_incidents(data);
  History history = open("memory:");
  std::vector<Action> actions;
  for (const Incident& incident : incidents) actions.push_back(incident.action);
  history.record(actions);
  if (!history.wait_indexed(std::chrono::minutes{2}))
    throw Error(ErrorCode::timeout, "the index does not catch up");
  IncidentAccuracy accuracy;
  for (const Incident& incident : incidents) {
    const Action& action = incident.action;
    const auto same = [&](const Trace& trace) { return trace.action_type == action.action_type; };
    const auto others = Json::object({{"metadata.incident", Json::object({{"$ne", action.action_id}})}});
    const auto found = [&](const std::string& text) {
      return std::ranges::any_of(history.similar({.text = text, .limit = 5, .where = others}), same,
                                 &Hit::trace);
    };
    const std::string alert = action.alert_name + '\n' + action.alert_severity + '\n' + action.resource.kind;
    accuracy.by_alert += found(alert);
    accuracy.by_cause += found(alert + '\n' + action.model_reasoning);
    const auto equal = Json::object({{"alert_name", action.alert_name},
                                     {"alert_severity", action.alert_severity},
                                     {"kind", action.resource.kind},
                                     {"metadata.incident", Json::object({{"$ne", action.action_id}})}});
    accuracy.by_match += std::ranges::any_of(history.history({.where = equal, .limit = 5}).traces, same);
  }
  const auto n = static_cast<double>(incidents.size());
  return {accuracy.by_alert / n, accuracy.by_cause / n, accuracy.by_match / n};
}

void run(const std::filesystem::path& data, bool as_json) {
  Report report("retrieval", as_json);
  for (const RetrievalSet& set : load_retrieval_sets(data)) {
    const Ours ours = through_history(set);
    const Measure bm25 = through_bm25(set);
    const Measure grams = through_grams(set);
    const auto add = [&](const std::string& name, const Measure& measure) {
      report.add(name, "ndcg@10", measure.ndcg, "score", bm25.ndcg, measure.ndcg / bm25.ndcg);
      report.add(name, "recall@10", measure.recall, "share", bm25.recall, measure.recall / bm25.recall);
    };
    add(set.name, ours.built_in);
    add(set.name + ", fitted model", ours.fitted);
    add(set.name + ", character n-grams", grams);
  }
  const IncidentAccuracy accuracy = incident_accuracy(data);
  const double beside = accuracy.by_match;
  report.add("incident's action among five", "by alert", accuracy.by_alert, "share", accuracy.by_match,
             accuracy.by_alert / beside);
  report.add("incident's action among five", "by root cause", accuracy.by_cause, "share", accuracy.by_match,
             accuracy.by_cause / beside);
}

}  // namespace

int main(int argc, char** argv) { return benchmark::data_main("retrieval", argc, argv, run); }
