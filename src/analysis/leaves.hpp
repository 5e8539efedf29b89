// The leaves of a JSON document by their dimension: its numbers, quantities among them, and its texts and
// flags. Functions may be called from any thread.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <actionhist/json.hpp>

#include "analysis/dimension.hpp"

namespace actionhist {

template <class Value>
struct Leaf {
  std::shared_ptr<const Dimension> dimension;
  Value value{};
};

template <class Value>
using Leaves = std::vector<Leaf<Value>>;

template <class Value>
const Value* find(const Leaves<Value>& leaves, const Dimension& dimension) {
  const auto found =
      std::ranges::find_if(leaves, [&](const Leaf<Value>& leaf) { return *leaf.dimension == dimension; });
  return found == leaves.end() ? nullptr : &found->value;
}

struct JsonLeaves {
  Leaves<double> numbers;
  Leaves<std::string> texts;
};

// At most the first 256 numbers and as many texts. An absent document has none.
std::shared_ptr<const JsonLeaves> read_leaves(const Json& json);

}  // namespace actionhist
