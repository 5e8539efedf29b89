// What a proposal is decided on, in one round trip.
#pragma once

#include <actionhist/repository.hpp>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

// As Repository::guard_view.
GuardView read_guard_view(Engine& engine, const GuardQuestion& question, bool lock);

}  // namespace actionhist::postgres
