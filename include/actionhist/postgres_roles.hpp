// The roles that a PostgreSQL database should know, so that each program gets the rights it needs and no more.
// May be called from any thread; no database is asked.
#pragma once

#include <string>
#include <string_view>

namespace actionhist {

// SQL that the owner of `schema` runs once it is migrated, and after each migration. It makes the roles
// SCHEMA_writer (everything that a History does), SCHEMA_reader (read_only), SCHEMA_embedder (the worker that
// turns the queue into the feed) and SCHEMA_maintenance (retention and partitions) where they are missing, none
// of which may log in, and gives them exactly their rights. Roles belong to all databases of a server.
// Throws Error: invalid_argument, for a schema that PostgresOptions does not allow.
std::string postgres_roles_script(std::string_view schema);

}  // namespace actionhist
