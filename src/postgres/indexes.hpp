// The indexes that a schema has on demand, in named sets. Building and dropping them lets writers go on.
// Free functions without state.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "postgres/engine.hpp"

namespace actionhist::postgres {

// Builds what the sets have and drops what they do not, one month at a time, waiting for transactions that hold a
// month and letting later ones pass. Killed anywhere, the next call goes on. One at a time in a schema: a second
// call waits. REQUIRES: the schema is up to date.
// Throws Error: denied (not the owner), unsupported (behind a pooler), timeout (a transaction that does not end).
void apply_indexes(const Engine& engine, std::span<const IndexSet> sets);

// The statements of apply_indexes for the database as it is, for psql. Without a schema yet, those that follow
// its first migration.
std::string index_script(Engine& engine, std::span<const IndexSet> sets);

// Whether the index is there and complete.
bool has_index(Engine& engine, std::string_view name);

// Indexes of the sets that are there and incomplete, because their building was interrupted.
std::vector<std::string> incomplete_indexes(Engine& engine);

}  // namespace actionhist::postgres
