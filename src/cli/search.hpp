// What the commands that search share: the memory with its index, which each run of the program loads anew.
#pragma once

#include <string_view>

#include "cli/command.hpp"

namespace actionhist::cli {

struct IndexArguments {
  double wait_seconds = 30;
  bool no_index = false;

  // --wait and --no-index.
  void add_to(CLI::App& command);
};

class Search {
 public:
  // Opens the memory. Waits, if its index is wanted, until that holds what is stored, and says so when it takes long.
  // The context outlives it.
  explicit Search(const Context& context, const IndexArguments& arguments = {});

  History& history() noexcept { return history_; }

  // Says why the answer may lack something: `fallback`, as the answer has it, or an index that came too late.
  void note(std::string_view fallback) const;

 private:
  const Context& context_;
  History history_;
  bool complete_;
};

}  // namespace actionhist::cli
