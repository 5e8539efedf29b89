// Addresses of host names. The system's resolver cannot be interrupted, so it runs in a thread of its own
// that nobody has to wait for. May be called from any thread at once.
#pragma once

#include <string>
#include <vector>

#include "postgres/deadline.hpp"

namespace actionhist::postgres {

// The numeric addresses of `host` in the system's order; a numeric address is its own.
// Throws ServerError: unavailable, when the name is unknown or not known until the deadline.
std::vector<std::string> resolve(const std::string& host, Deadline deadline);

}  // namespace actionhist::postgres
