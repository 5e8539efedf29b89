// What an index says of itself, member by member, and the names of its settings: once for the core and the bindings.
#pragma once

#include <actionhist/semantic_index.hpp>

#include "core/names.hpp"

namespace actionhist {

inline constexpr NameTable<Metric, 3> metric_names{{
    {Metric::cosine, "cosine"},
    {Metric::inner_product, "inner_product"},
    {Metric::l2, "l2"},
}};

inline constexpr NameTable<Precision, 3> precision_names{{
    {Precision::full, "full"},
    {Precision::half, "half"},
    {Precision::byte, "byte"},
}};

// Calls visit(name, member) for each.
template <class Visitor>
void visit_index(const IndexStats& stats, Visitor&& visit) {
  visit("rows", stats.rows);
  visit("vectors", stats.vectors);
  visit("linked", stats.linked);
  visit("deleted", stats.deleted);
  visit("terms", stats.terms);
  visit("bytes", stats.bytes);
  visit("ef_search", stats.ef_search);
  visit("error", stats.error);
  visit("verified", stats.verified);
}

template <class Visitor>
void visit_index(const SearchPlan& plan, Visitor&& visit) {
  visit("route", plan.route);
  visit("why", plan.why);
  visit("rows", plan.rows);
  visit("matching", plan.matching);
  visit("linked", plan.linked);
  visit("distances", plan.distances);
  visit("ef_search", plan.ef_search);
}

}  // namespace actionhist
