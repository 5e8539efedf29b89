// Waits for a socket under a deadline. Free functions without state.
#pragma once

#include "postgres/deadline.hpp"

namespace actionhist::postgres {

// Wait until the socket can be read, or until it can be read or written. An error counts as both: the next call tells
// it. False at the deadline.
bool wait_readable(int socket, Deadline deadline);
bool wait_writable(int socket, Deadline deadline);

}  // namespace actionhist::postgres
