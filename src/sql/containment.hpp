// What an index of JSON documents can answer of a filter: that a document holds another.
#pragma once

#include <string>
#include <vector>

#include <actionhist/json.hpp>

namespace actionhist::sql {

struct Containment {
  std::string column;
  // A matching row's document holds one of the two. The second differs where a dotted name may be one key or a
  // path of keys.
  Json document;
  Json other;
};

// The comparisons for equality inside JSON documents that each row matching the filter fulfils.
// Throws Error: invalid_argument as resolve_where does.
std::vector<Containment> containments(const Json& where);

}  // namespace actionhist::sql
