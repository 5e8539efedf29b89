// Stores actions whose ids are new, as nearly all are, with plain statements in one pipeline: that costs the server
// half of what one statement for every case does. A taken id fails the pipeline; see is_taken.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <actionhist/action.hpp>

#include "postgres/connection.hpp"
#include "postgres/guard_heads.hpp"
#include "postgres/known_resources.hpp"

namespace actionhist::postgres {

// Adds the calls that store `traces`: counters and versions, their resources unless all are known, ids that callers
// brought, the traces, queue rows. They lock in the order of all writers: histories, heads, ids, traces, queue.
// Each history's call answers with the time at which the server started, unless that is so or `heads` are given. With `heads`,
// nothing is stored unless they are as they were. Returns whether all resources
// were known; a known one without a history, after a commit that was lost, fails the calls.
// REQUIRES: distinct ids, at least one; `heads` are of all their scopes.
bool add_fresh_insert(std::vector<Call>& calls, const std::string& tenant,
                      std::span<const Trace* const> traces, const KnownResources& known,
                      const GuardedHeads* heads = nullptr);

// Notes from the results of those calls which resources are stored.
void note_resources(KnownResources& known, std::span<const Trace* const> traces,
                    std::span<const Result> results);

// Adds the calls that describe the resources of the traces, where they are not described yet, and name what was acted
// on under an owner.
void add_resources(std::vector<Call>& calls, const std::string& tenant, std::span<const Trace* const> traces);

// Whether such calls failed because an id is taken, a head has moved, or another server has taken over.
bool is_taken(const ServerError& error) noexcept;

}  // namespace actionhist::postgres
