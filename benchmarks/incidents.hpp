// Incidents of a real agent and how each was solved, from a folder laid out like the project's shared data.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <actionhist/actionhist.hpp>

namespace actionhist::benchmark {

struct Incident {
  Action action;
  std::string scenario;
  bool solved = false;
  // The text that the memory would index of it.
  std::string text() const {
    return action.alert_name + '\n' + action.alert_severity + '\n' + action.resource.kind + '\n' +
           action.model_reasoning + '\n' + action.action_type;
  }
};

// Those on which somebody acted. Throws Error: not_found.
std::vector<Incident> read_incidents(const std::filesystem::path& data);

}  // namespace actionhist::benchmark
