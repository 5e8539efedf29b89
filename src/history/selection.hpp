// Many stored actions at once, for what looks at all of them. Internal to history/.
#pragma once

#include <vector>

#include <actionhist/repository.hpp>

namespace actionhist {

struct Selection {
  std::vector<Trace> traces;  // oldest first
  bool complete = true;       // false: there are more, older ones
};

// The newest `most` actions that match, whatever limit and cursor of `query` say.
Selection select_newest(ActionStore& actions, ActionQuery query, std::size_t most);

}  // namespace actionhist
