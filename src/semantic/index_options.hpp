// What an index may be asked to be. Pure.
#pragma once

#include <actionhist/semantic_index.hpp>

namespace actionhist {

// The options themselves. Throws Error: invalid_argument, naming the one that cannot be.
const IndexOptions& checked(const IndexOptions& options);

}  // namespace actionhist
