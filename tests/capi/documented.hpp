// What docs/c-abi.md says of the records, to compare it with what operations answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace actionhist::test {

// The members in the answer of the operation that its record on the page does not name; "Verdict.shadowed". Knows the
// operations whose answers are records.
std::vector<std::string> undocumented(std::string_view operation, simdjson::dom::element answer);

}  // namespace actionhist::test
