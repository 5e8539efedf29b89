// Traces and resources as the parameters of a statement, and those of traces as a list of SQL: one row in single
// values, or many rows in arrays. Free functions without state.
#pragma once

#include <span>
#include <string>

#include <actionhist/action.hpp>

#include "postgres/parameters.hpp"

namespace actionhist::postgres {

// "$2::text AS action_id, …": the columns of sql::trace_columns(), behind $1, the tenant.
const std::string& trace_values();
void add_trace(Parameters& parameters, const Trace& trace);

// "$2::text[], …", for unnest.
const std::string& trace_arrays();
void add_traces(Parameters& parameters, std::span<const Trace* const> traces);

// The columns of sql::visit_reference().
void add_reference(Parameters& parameters, const Resource& resource);

}  // namespace actionhist::postgres
