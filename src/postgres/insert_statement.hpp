// The statement that stores actions whichever of them are stored already: traces with their counters, versions and
// queue rows. What fresh_insert.hpp has is faster where no id is taken.
#pragma once

#include <span>
#include <string>

#include <actionhist/action.hpp>

#include "postgres/parameters.hpp"

namespace actionhist::postgres {

// Whether an id is a version 7 UUID that carries the very time of its action. Such an id needs no place in
// action_ids: the primary key makes it unique.
bool carries_its_time(const Trace& trace);

// Returns the ids that were new; an id that is stored, or was deleted, is passed over with all that belongs to it.
const std::string& insert_statement();

// REQUIRES: `traces` has distinct ids.
Parameters insert_parameters(const std::string& tenant, std::span<const Trace* const> traces);

}  // namespace actionhist::postgres
