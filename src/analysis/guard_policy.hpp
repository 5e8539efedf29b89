// What the guard takes for one resource instead of each pattern's own. Pure; any thread.
#pragma once

#include <actionhist/detection.hpp>
#include <actionhist/pattern.hpp>

namespace actionhist {

// Throws Error: invalid_argument, naming the field.
void validate(const GuardPolicy& policy);

// The pattern as it counts for a resource with this policy. The minimum of occurrences is left alone where it
// is a budget, the threshold where the type has none.
Pattern applied(const GuardPolicy& policy, Pattern pattern);

}  // namespace actionhist
