// One search over the rows of an index: candidates of both legs, one score, the best. May run in many threads
// at once while nobody changes the table.
#pragma once

#include <optional>
#include <vector>

#include <actionhist/semantic_index.hpp>

#include "core/filter.hpp"
#include "semantic/row_table.hpp"

namespace actionhist {

// As SemanticIndex::search. `filter` is query.where, parsed; `least_similarity` is what the query's percentile
// means. Fills `plan` if there is one.
// Throws Error: invalid_argument for a query that is out of range.
std::vector<IndexHit> search(const RowTable& table, const IndexQuery& query, const Filter& filter,
                             std::optional<double> least_similarity, SearchPlan* plan = nullptr);

}  // namespace actionhist
