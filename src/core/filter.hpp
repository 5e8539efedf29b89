// The filter language as a tree. It knows nothing of columns: sql/ makes SQL of it, semantic/ evaluates it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <actionhist/json.hpp>

#include "core/json_io.hpp"

namespace actionhist {

// Holds every integer of 64 bits and every double: ids are integers whose last digits count. Where it has no 64 bits of
// digits (not on Linux), integers from 2^53 on compare as doubles.
using Number = long double;

// Below this each integer is a double of its own.
constexpr Number largest_exact = 9007199254740992.0L;

// A JSON scalar; values of different alternatives are never equal and have no order.
using Scalar = std::variant<std::monostate, bool, Number, std::string>;

// Of an object or array: `compound`.
Scalar scalar_of(JsonElement element);

struct Filter {
  enum class Op { all, any, none, eq, in, gt, gte, lt, lte, exists };

  Op op = Op::all;               // `all` without children matches everything
  std::string field;             // of a comparison
  std::vector<Scalar> values;    // one, or the list of `in`, or the flag of `exists`
  std::vector<Filter> children;  // of all, any and none
};

// Throws Error: invalid_argument, naming the operator or field that is wrong. Absent gives a filter that
// matches everything. At most 5,000 conditions, keys and values, 1,000 values of one list, 32 levels. $ne and $nin become none(eq) and none(in).
Filter parse_filter(const Json& where);

// The inverse: a filter in the form that parse_filter reads.
Json to_json(const Filter& filter);

// Evaluates a filter; `lookup` gives the value at a dotted path, or nullptr if there is none. A path that
// holds an object or array is a value that equals nothing but exists; lookup then gives `compound`.
bool matches(const Filter& filter, const std::function<const Scalar*(std::string_view)>& lookup);
extern const Scalar compound;

// The same for a JSON object; keys may have dots themselves, and the longest key counts.
bool matches(const Filter& filter, JsonElement object);

}  // namespace actionhist
