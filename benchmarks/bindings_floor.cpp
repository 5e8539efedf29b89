// The C++ side of scripts/bench bindings: one rate, as operations a second, for the same work that Python does.
// Usage: bindings_floor WORK URI COUNT, where WORK is record, record_many or similar.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>
#include <string>

#include <actionhist/actionhist.hpp>

#include "sample_action.hpp"

namespace {

using namespace actionhist;
using clock_type = std::chrono::steady_clock;

constexpr int searchable_rows = 2000;

// As in bindings.py, to the letter.
Action make_action(const std::string& run, int i) {
  Action action = benchmark::sample_action(i, 100);
  action.action_id = run + "-" + std::to_string(i);
  action.action_timestamp = parse_time("2026-03-10T12:00:00Z") + std::chrono::seconds(i);
  action.correlation_id = "incident-" + std::to_string(i / 10);
  action.resource_state_before = Json::object({{"timeout", "30x"}});
  return action;
}

std::vector<Action> make_actions(const std::string& run, int count) {
  std::vector<Action> actions;
  for (int i = 0; i < count; ++i) actions.push_back(make_action(run, i));
  return actions;
}

double per_second(int count, clock_type::time_point since) {
  return count / std::chrono::duration<double>(clock_type::now() - since).count();
}

double run(const std::string& work, const std::string& uri, int count) {
  // Recording is compared without the worker, which would take its turns between the calls.
  History history = open(uri, {.worker = work == "similar"});
  if (work == "record") {
    const auto since = clock_type::now();
    for (int i = 0; i < count; ++i) history.record(make_action("one", i));
    return per_second(count, since);
  }
  if (work == "record_many") {
    const auto since = clock_type::now();
    history.record(make_actions("many", count));
    return per_second(count, since);
  }
  if (work != "similar") throw Error(ErrorCode::invalid_argument, "work: " + work);
  history.record(make_actions("found", searchable_rows));
  history.wait_indexed(std::chrono::minutes(5));
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<SimilarQuery> queries(static_cast<std::size_t>(count));
  for (SimilarQuery& query : queries) {
    query.vector.resize(hashed_lexical_model()->dimension());
    for (float& number : query.vector) number = normal(random);
  }
  const auto since = clock_type::now();
  for (const SimilarQuery& query : queries) history.similar(query);
  return per_second(count, since);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) throw Error(ErrorCode::invalid_argument, "usage: bindings_floor WORK URI COUNT");
  std::cout << run(argv[1], argv[2], std::atoi(argv[3])) << "\n";
} catch (const Error& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
