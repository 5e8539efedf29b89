// Whether recommend() names the action that solved an incident, as one of the first one or three, when the
// incident itself, or all incidents of its scenario, are unknown; beside the vote of the five nearest solved
// incidents by BM25. Each incident asks twice: with what is known when the alert fires (its name, severity and kind),
// and with the root cause in words. Then the same in random halves of the incidents.
// Usage: recommend [--data DIR] [--json]. DIR is laid out like ../shared/data; ACTIONHIST_DATA names another.
#include <algorithm>
#include <array>
#include <map>
#include <random>

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

// The four questions, each with our hits and those of the neighbours.
struct Question {
  std::string name;
  Asked how;
  Hits ours;
  Hits theirs;
};

std::vector<Question> ask_all(const std::vector<Incident>& incidents) {
  OurMemory memory(incidents);
  const Neighbours neighbours(incidents);
  std::vector<Question> all;
  for (const bool scenarios : {false, true}) {
    for (const bool words : {false, true}) {
      Question& question = all.emplace_back();
      question.name = std::string(scenarios ? "leave-scenario-out" : "leave-one-out") +
                      (words ? "/root cause" : "/alert");
      question.how = {words, scenarios};
      question.ours =
          count(incidents, [&](const Incident& incident) { return memory.ask(incident, question.how); });
      question.theirs =
          count(incidents, [&](const Incident& incident) { return neighbours.ask(incident, question.how); });
    }
  }
  return all;
}

// Whether the answer rests on single incidents: the same in random halves of them.
void resample(Report& report, const std::vector<Incident>& incidents) {
  constexpr int halves = 40;
  std::mt19937 random(1);
  std::map<std::string, std::vector<std::array<double, 2>>> ours;
  std::map<std::string, std::vector<std::array<double, 2>>> theirs;
  for (int i = 0; i < halves; ++i) {
    std::vector<Incident> half;
    std::ranges::sample(incidents, std::back_inserter(half),
                        static_cast<std::ptrdiff_t>(incidents.size() / 2), random);
    for (const Question& question : ask_all(half)) {
      ours[question.name].push_back({question.ours.first, question.ours.of_three});
      theirs[question.name].push_back({question.theirs.first, question.theirs.of_three});
    }
  }
  for (const auto& [name, rates] : ours) {
    for (const std::size_t rank : {0, 1}) {
      double mean = 0;
      double mean_of_theirs = 0;
      double below = 0;
      for (std::size_t i = 0; i < rates.size(); ++i) {
        mean += rates[i][rank] / halves;
        mean_of_theirs += theirs[name][i][rank] / halves;
        below += rates[i][rank] < theirs[name][i][rank];
      }
      const std::string hit = rank == 0 ? "hit@1" : "hit@3";
      report.add("halves/" + name, hit, mean, "share", mean_of_theirs, mean / std::max(mean_of_theirs, 1e-9));
      report.add("halves/" + name, hit + " below theirs", below / halves, "of halves");
    }
  }
}

void run(const std::string& data, bool as_json) {
  const std::vector<Incident> incidents = benchmark::read_incidents(data);
  Report report("recommend", as_json);
  for (const Question& question : ask_all(incidents)) {
    const auto add = [&](std::string_view metric, double ours, double theirs) {
      report.add(question.name, metric, ours, "share", theirs, theirs == 0 ? 1. : ours / theirs);
    };
    add("hit@1", question.ours.first, question.theirs.first);
    add("hit@3", question.ours.of_three, question.theirs.of_three);
  }
  resample(report, incidents);
}

}  // namespace

int main(int argc, char** argv) { return benchmark::data_main("recommend", argc, argv, run); }
