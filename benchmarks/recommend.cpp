// Whether recommend() names the action that solved an incident, as one of the first one or three, when the
// incident itself, or all incidents of its scenario, are unknown; beside the vote of the five nearest solved
// incidents by BM25. Each incident asks twice: with what is known when the alert fires (its name, severity and kind),
// and with the root cause in words. Then the same in random halves of the incidents. Last, for models of different
// cosines, how often a question of another world is called supported, and how often an incident, by its root cause.
// Usage: recommend [--data DIR] [--json]. DIR is laid out like ../shared/data; ACTIONHIST_DATA names another.
#include <algorithm>
#include <array>
#include <map>
#include <random>

#include <actionhist/actionhist.hpp>

#include "data_main.hpp"
#include "incidents.hpp"
#include "report.hpp"
#include "support/models.hpp"

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
  explicit OurMemory(const std::vector<Incident>& incidents,
                     std::shared_ptr<const EmbeddingModel> model = hashed_lexical_model())
      : history_(open("memory:", {.model = std::move(model)})) {
    std::vector<Action> actions;
    for (const Incident& incident : incidents) actions.push_back(incident.action);
    history_.record(actions);
    wait();
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

  // Whether a case like what is said in words is known, apart from this incident or its scenario.
  bool supports(const std::string& text, const Json& where = {}) {
    return history_.recommend({.text = text, .where = where}).supported;
  }

  // From here on with a model fitted on the incidents.
  void fit() {
    history_.switch_space(history_.fit_space().space_id, {.force = true});
    wait();
  }

 private:
  void wait() {
    if (!history_.wait_indexed(std::chrono::minutes{2}))
      throw Error(ErrorCode::timeout, "the index does not catch up");
  }

  History history_;
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

// Other than those that the memory itself asks.
const std::vector<std::string> unrelated{
    "how do I bake a sourdough bread with rye flour",
    "the train to Vienna was late again this morning",
    "my dog does not eat the new food",
    "a song about the sea and a sailor who never came home",
    "which tax form do I need for a second home",
    "the goalkeeper saved two penalties in the final",
    "water the tomatoes every second day in summer",
    "the printer in the office is out of paper",
    "the contract ends in March and is not renewed",
    "an employee cannot log in to the payroll portal with her new phone",
    "a customer complains that the invoice shows the wrong address",
    "the battery of the forklift does not charge over night",
    "the elevator in building two is stuck",
    "the screen of the laptop flickers after the update",
    "the holiday house has no garden",
};

void count_supported(Report& report, const std::vector<Incident>& incidents) {
  const auto add = [&](const std::string& model, OurMemory& memory) {
    const auto share = [](auto supported, double of) { return static_cast<double>(supported) / of; };
    const auto total = static_cast<double>(incidents.size());
    report.add(
        "supported/" + model, "unrelated questions",
        share(std::ranges::count_if(unrelated, [&](const auto& text) { return memory.supports(text); }),
              static_cast<double>(unrelated.size())),
        "share");
    const auto others = [](const char* field, const std::string& value) {
      return Json::object({{field, Json::object({{"$ne", value}})}});
    };
    const auto one_out = [&](const Incident& incident) {
      return memory.supports(incident.action.model_reasoning,
                             others("metadata.incident", incident.action.action_id));
    };
    report.add("supported/" + model, "incidents", share(std::ranges::count_if(incidents, one_out), total),
               "share");
    const auto scenario_out = [&](const Incident& incident) {
      return memory.supports(incident.action.model_reasoning, others("metadata.scenario", incident.scenario));
    };
    report.add("supported/" + model, "incidents without their scenario",
               share(std::ranges::count_if(incidents, scenario_out), total), "share");
  };
  OurMemory hashed(incidents);
  add("hashed", hashed);
  OurMemory crowded(incidents, std::make_shared<test::Crowded>(1.F));
  add("crowded", crowded);
  hashed.fit();
  add("fitted", hashed);
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
  count_supported(report, incidents);
}

}  // namespace

int main(int argc, char** argv) { return benchmark::data_main("recommend", argc, argv, run); }
