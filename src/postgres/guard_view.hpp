// What a proposal is decided on, in one round trip.
#pragma once

#include <actionhist/repository.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

// As Repository::guard_view. Under a transaction that may read ahead, nothing is locked: the transaction stands on
// what was read, or on what was known already, and runs again with locks where that does not hold.
GuardView read_guard_view(Engine& engine, const GuardQuestion& question, bool lock);

}  // namespace actionhist::postgres
