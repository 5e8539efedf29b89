// Waiting for the index, which each run of the program loads anew.
#pragma once

#include <chrono>

#include "cli/command.hpp"

namespace actionhist::cli {

// Waits until the index holds what is stored, and says so when that takes long. False if it did not come to that
// within `patience`, or cannot come to it.
bool wait_for_index(const Context& context, History& history, std::chrono::milliseconds patience);

}  // namespace actionhist::cli
