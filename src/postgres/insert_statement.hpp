// The one statement that stores actions: traces with their resources, counters and queue rows.
#pragma once

#include <span>
#include <string>

#include <actionhist/action.hpp>

#include "postgres/parameters.hpp"

namespace actionhist::postgres {

// Whether an id is a version 7 UUID that carries the very time of its action. Such an id needs no place in
// action_ids: the primary key makes it unique.
bool carries_its_time(const Trace& trace);

// The time inside a version 7 UUID, if `action_id` is one.
std::optional<TimePoint> time_inside(std::string_view action_id);

struct InsertShape {
  bool many = false;         // arrays instead of single values
  bool registers = false;    // some ids do not carry their time
  bool must_be_new = false;  // an id that is taken fails the statement, with a division by zero
};

// $1 is the tenant, the rest as insert_parameters gives them. Returns the ids that were new; an id that is
// stored, or was deleted, is passed over with all that belongs to it.
const std::string& insert_statement(InsertShape shape);

// REQUIRES: `traces` has distinct ids; one trace unless shape.many.
Parameters insert_parameters(const std::string& tenant, std::span<const Trace* const> traces,
                             InsertShape shape);

}  // namespace actionhist::postgres
