// Opens the engine for production: a PostgreSQL server, or several with a primary among them.
#pragma once

#include <memory>
#include <string>

#include <actionhist/history.hpp>

namespace actionhist::postgres {

// `uri` is "postgresql://…". Applies migrations as the options say.
std::unique_ptr<Repository> open_repository(const std::string& uri, const Options& options);

}  // namespace actionhist::postgres
