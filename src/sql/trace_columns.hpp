// The columns of resource_action_traces as SQL text, from the one table of fields.
#pragma once

#include <string>

namespace actionhist::sql {

// "action_id, correlation_id, …", in the order of visit_columns.
const std::string& trace_columns();

// "execution_status = ?, …": what an update of the outcome sets, in the order of visit_outcome.
const std::string& outcome_assignments();

}  // namespace actionhist::sql
