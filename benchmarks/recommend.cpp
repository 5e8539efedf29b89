// Whether recommend() names the action that solved an incident, as one of the first one or three, when the
// incident itself, or all incidents of its scenario, are unknown; beside the vote of the five nearest solved
// incidents by BM25. Each incident asks twice: with what is known when
// the alert fires (its name, severity and kind), and with the root cause in words.
// Usage: recommend [--data DIR] [--json]. DIR is laid out like ../shared/data; ACTIONHIST_DATA names another.
#include <algorithm>
#include <fstream>
#include <map>

#include <actionhist/actionhist.hpp>

#include "data_main.hpp"
#include "incidents.hpp"
#include "report.hpp"

namespace {

using namespace actionhist;
using benchmark::Incident;
using benchmark::Report;

struct Asked {
  bool words = false;      // by the root cause, else by the alert
  bool scenarios = false;  // without the whole scenario, else without the incident
};

using Types = std::vector<std::string>;

class OurMemory {
 public:
  explicit OurMemory(const std::vector<Incident>& incidents) {
    std::vector<Action> actions;
    for (const Incident& incident : incidents) actions.push_back(incident.action);
    history_.record(actions);
    if (!history_.wait_indexed(std::chrono::minutes{2}))
      throw Error(ErrorCode::timeout, "the index does not catch up");
  }

  Types ask(const Incident& incident, Asked how) {
    const Action& action = incident.action;
    RecommendQuery query;
    if (how.words) query.text = action.model_reasoning;
    query.alert_name = action.alert_name;
    query.alert_severity = action.alert_severity;
    query.resource.kind = action.resource.kind;
    query.where = how.scenarios
                      ? Json::object({{"metadata.scenario", Json::object({{"$ne", incident.scenario}})}})
                      : Json::object({{"metadata.incident", Json::object({{"$ne", action.action_id}})}});
    Types types;
    for (const Recommendation& each : history_.recommend(query).actions) types.push_back(each.action_type);
    return types;
  }

 private:
  History history_ = open("memory:");
};

class Neighbours {
 public:
  explicit Neighbours(const std::vector<Incident>& incidents) {
    std::vector<std::string> texts;
    for (const Incident& incident : incidents) texts.push_back(incident.text());
    std::vector<IndexRow> rows;
    for (std::size_t i = 0; i < incidents.size(); ++i) {
      rows.push_back({incidents[i].action.action_id, texts[i], {}, incidents[i].action.metadata});
      by_id_[incidents[i].action.action_id] = &incidents[i];
    }
    index_.put(rows);
  }

  Types ask(const Incident& incident, Asked how) const {
    const Action& action = incident.action;
    IndexQuery query;
    query.text = action.alert_name + '\n' + action.alert_severity + '\n' + action.resource.kind;
    if (how.words) query.text += '\n' + action.model_reasoning;
    query.vector_weight = 0;
    query.limit = 100;
    std::map<std::string, double> votes;
    int heard = 0;
    for (const IndexHit& hit : index_.search(query)) {
      const Incident& other = *by_id_.at(hit.id);
      const bool same = how.scenarios ? other.scenario == incident.scenario : &other == &incident;
      if (same || !other.solved || heard == 5) continue;
      votes[other.action.action_type] += hit.bm25;
      ++heard;
    }
    Types types;
    for (const auto& [type, vote] : votes) types.push_back(type);
    std::ranges::stable_sort(types, std::greater<>(), [&](const std::string& type) { return votes[type]; });
    return types;
  }

 private:
  SemanticIndex index_{{.dimension = 1}};
  std::map<std::string, const Incident*> by_id_;
};

struct Hits {
  double first = 0;
  double of_three = 0;
};

template <class Ask>
Hits count(const std::vector<Incident>& incidents, Ask ask) {
  Hits hits;
  double asked = 0;
  for (const Incident& incident : incidents) {
    if (!incident.solved) continue;
    ++asked;
    const Types types = ask(incident);
    const auto rank = std::ranges::find(types, incident.action.action_type) - types.begin();
    const bool found = rank < static_cast<std::ptrdiff_t>(types.size());
    hits.first += found && rank < 1;
    hits.of_three += found && rank < 3;
  }
  return {hits.first / asked, hits.of_three / asked};
}

void run(const std::string& data, bool as_json) {
  const std::vector<Incident> incidents = benchmark::read_incidents(data);
  OurMemory memory(incidents);
  const Neighbours neighbours(incidents);
  Report report("recommend", as_json);
  for (const bool scenarios : {false, true}) {
    for (const bool words : {false, true}) {
      const Asked how{words, scenarios};
      const Hits ours = count(incidents, [&](const Incident& incident) { return memory.ask(incident, how); });
      const Hits theirs =
          count(incidents, [&](const Incident& incident) { return neighbours.ask(incident, how); });
      const std::string name = std::string(scenarios ? "leave-scenario-out" : "leave-one-out") +
                               (words ? "/root cause" : "/alert");
      const auto ratio = [](double a, double b) { return b == 0 ? 1. : a / b; };
      report.add(name, "hit@1", ours.first, "share", theirs.first, ratio(ours.first, theirs.first));
      report.add(name, "hit@3", ours.of_three, "share", theirs.of_three,
                 ratio(ours.of_three, theirs.of_three));
    }
  }
}

}  // namespace

int main(int argc, char** argv) { return benchmark::data_main("recommend", argc, argv, run); }
