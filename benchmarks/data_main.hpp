// The main() of a benchmark on the evaluation data: --data DIR, or ACTIONHIST_DATA, and --json.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "program.hpp"

namespace actionhist::benchmark {

// Calls run(data, as_json) and returns the status of the program.
template <class Run>
int data_main(const std::string& name, int argc, char** argv, Run&& run) {
  CLI::App app("Measures on the evaluation data.", name);
  std::string data = "../shared/data";
  bool as_json = false;
  app.add_option("--data", data, "a folder laid out like ../shared/data")->envname("ACTIONHIST_DATA");
  app.add_flag("--json", as_json, "one JSON object a line");
  return program(app, argc, argv, [&] { run(data, as_json); });
}

}  // namespace actionhist::benchmark
