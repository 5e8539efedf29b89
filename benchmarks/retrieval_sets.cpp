#include "retrieval_sets.hpp"

#include <algorithm>
#include <fstream>
#include <functional>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>
#include <simdjson.h>

#include <actionhist/error.hpp>

#include "analysis/ranking_quality.hpp"

namespace actionhist::benchmark {
namespace {

using Element = simdjson::dom::element;

void for_each_line(const std::filesystem::path& path, const std::function<void(Element)>& use) {
  std::ifstream file(path);
  if (!file) throw Error(ErrorCode::not_found, fmt::format("retrieval: cannot read {}", path.string()));
  simdjson::dom::parser parser;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    if (line.empty()) continue;
    try {
      use(parser.parse(line));
    } catch (const simdjson::simdjson_error& error) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("retrieval: {} line {}: {}", path.string(), number, error.what()));
    }
  }
}

std::string text(Element row, std::string_view field) { return std::string(std::string_view(row[field])); }

std::map<std::string, double> grades(Element row) {
  std::map<std::string, double> out;
  for (auto [id, grade] : simdjson::dom::object(row["relevant"])) out[std::string(id)] = double(grade);
  return out;
}

std::vector<RetrievalDoc> docs(const std::filesystem::path& path, std::string_view field, bool with_source) {
  std::vector<RetrievalDoc> out;
  for_each_line(path, [&](Element row) {
    out.push_back({text(row, "id"), text(row, field), with_source ? text(row, "source") : ""});
  });
  return out;
}

std::vector<RetrievalQuery> queries(const std::filesystem::path& path, std::string_view field,
                                    bool with_source) {
  std::vector<RetrievalQuery> out;
  for_each_line(path, [&](Element row) {
    out.push_back({text(row, "qid"), text(row, field), "", with_source ? text(row, "candidates_source") : "",
                   grades(row)});
  });
  return out;
}

// The alert-time query: what is known before anyone looked is the alert's name, severity and kind.
RetrievalSet incidents(const std::filesystem::path& folder) {
  RetrievalSet set{"similar incident", {}, {}};
  std::unordered_map<std::string, std::string> query_texts;
  for_each_line(folder / "kubernaut_incident_docs.jsonl", [&](Element row) {
    set.docs.push_back({text(row, "id"), text(row, "text"), ""});
    query_texts[set.docs.back().id] =
        fmt::format("{} {} {}", text(row, "alert"), text(row, "severity"), text(row, "target_kind"));
  });
  for_each_line(folder / "kubernaut_incident_qrels.jsonl", [&](Element row) {
    const std::string id = text(row, "qid");
    set.queries.push_back({id, query_texts.at(id), id, "", grades(row)});
  });
  return set;
}

// The grades of a ranking in its order.
std::vector<double> gains_of(std::span<const std::string> ranking,
                             const std::map<std::string, double>& relevant) {
  std::vector<double> gains;
  for (const std::string& id : ranking) {
    const auto found = relevant.find(id);
    gains.push_back(found != relevant.end() ? found->second : 0);
  }
  return gains;
}

}  // namespace

std::vector<RetrievalSet> load_retrieval_sets(const std::filesystem::path& data) {
  const auto folder = data / "retrieval";
  const auto runbooks = folder / "runbook_docs.jsonl";
  const auto alerts = folder / "alert2runbook_queries.jsonl";
  const auto across = folder / "crossrunbook_queries.jsonl";
  const auto gitlab = folder / "gitlab_runbook_docs.jsonl";
  const auto rules = folder / "gitlab_alert2doc_queries.jsonl";
  return {
      {"runbook by description", docs(runbooks, "text_noname", true), queries(alerts, "text", false)},
      {"runbook by name", docs(runbooks, "text", true), queries(alerts, "text_with_name", false)},
      {"runbook across communities", docs(runbooks, "text_noname", true), queries(across, "text", true)},
      {"gitlab runbook", docs(gitlab, "text", false), queries(rules, "text", false)},
      incidents(folder),
  };
}

double ndcg_at_10(std::span<const std::string> ranking, const std::map<std::string, double>& relevant) {
  std::vector<double> all;
  for (const auto& [id, grade] : relevant) all.push_back(grade);
  return ndcg(gains_of(ranking, relevant), std::move(all), 10);
}

double recall_at_10(std::span<const std::string> ranking, const std::map<std::string, double>& relevant) {
  const auto wanted =
      std::count_if(relevant.begin(), relevant.end(), [](const auto& r) { return r.second > 0; });
  const auto first = ranking.first(std::min<std::size_t>(ranking.size(), 10));
  const auto gains = gains_of(first, relevant);
  const auto got = std::ranges::count_if(gains, [](double gain) { return gain > 0; });
  return wanted > 0 ? static_cast<double>(got) / static_cast<double>(wanted) : 0;
}

}  // namespace actionhist::benchmark
