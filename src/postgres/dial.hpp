// Finding the server among the hosts and addresses of a target. May be called from any thread at once.
#pragma once

#include <libpq-fe.h>

#include "postgres/target.hpp"

namespace actionhist::postgres {

// Tries host by host and address by address, as libpq does, but with connect_timeout for each, names looked
// up included. Throws ServerError.
PGconn* dial(const Target& target, const PostgresOptions& options);

}  // namespace actionhist::postgres
