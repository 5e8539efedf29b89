#include <clocale>

#include "cli/command.hpp"

int main(int argc, char** argv) {
  // Only for the width of characters: numbers and messages are the same everywhere.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  return static_cast<int>(actionhist::cli::run(argc, argv));
}
