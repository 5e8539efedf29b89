// The end of a benchmark's main(): reads the command line, runs, and says what went wrong.
#pragma once

#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace actionhist::benchmark {

// Returns the status of the program.
template <class Run>
int program(CLI::App& app, int argc, char** argv, Run&& run) {
  CLI11_PARSE(app, argc, argv);
  try {
    run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", app.get_name(), error.what());
    return 1;
  }
  return 0;
}

}  // namespace actionhist::benchmark
