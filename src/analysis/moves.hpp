// What actions moved: a number of a resource (its replicas, its memory) from a value to another.
// Functions may be called from any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "analysis/step.hpp"

namespace actionhist {

// One change of one dimension. Its direction is always known.
struct Move {
  const Step* step = nullptr;
  const Dimension* dimension = nullptr;
  std::optional<double> from;  // as stated, or what the last move left
  std::optional<double> to;
  double amount = 0;   // |to − from|; 0 if no number is known
  int dir = 0;         // +1 or −1; 0 when the value stayed within the dimension's tolerance
  double quality = 0;  // 1 from states, .9 from parameters or the last move, .6 from the verb
};

// A setting without an order (an image, a flag), or the hash of the whole spec, that became another.
struct Change {
  const Step* step = nullptr;
  std::string_view setting;  // "image"; "spec" for the hashes that the caller gave
  std::string_view from;     // as stated, or what the last change left
  std::string_view to;
  std::size_t of = 0;  // tells settings of one name apart where no state does: of one container or another
};

// Points into what was read from the steps' traces.
struct Movements {
  std::vector<Move> moves;
  std::vector<Change> changes;
};

// The moves of one resource, in order. An action whose direction is unknown makes none, but the value that
// it set is remembered for the next. A change needs a state or a name that says that it is of a setting, because what
// only parameters say may be an argument.
// REQUIRES: `steps` are of one resource, oldest first.
Movements movements(std::span<const Step* const> steps);

using Moves = std::vector<const Move*>;

// The moves of each dimension, by its name.
std::vector<Moves> by_dimension(const Moves& moves);

}  // namespace actionhist
