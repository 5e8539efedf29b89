#include <actionhist/history.hpp>

#include <algorithm>

#include <fmt/format.h>

#include "core/refuse.hpp"
#include "core/server_uri.hpp"
#include "history/validate.hpp"
#include "postgres/repository.hpp"
#include "sqlite/repository.hpp"

namespace actionhist {

std::unique_ptr<Repository> open_repository(std::string_view uri, const Options& options) {
  validate(options);
  if (uri.empty()) {
    refuse("uri", "is empty; give memory:, sqlite:PATH or a path, or postgresql://…");
  }
  if (uri == "memory:") return sqlite::open_repository(":memory:", options);
  if (uri.starts_with("sqlite:")) uri.remove_prefix(7);
  if (is_server_uri(uri)) return postgres::open_repository(std::string(uri), options);
  if (uri.find("://") != uri.npos) {
    // The scheme alone is named: the rest may hold a password.
    refuse("uri", fmt::format("no engine for \"{}:\"; use memory:, sqlite:PATH, a path or postgresql://…",
                              uri.substr(0, uri.find(':'))));
  }
  // Else the file would be named after what libpq calls a connection string, with the password in it.
  constexpr std::string_view keywords[] = {"host=", "hostaddr=", "port=", "dbname=", "user=", "service="};
  if (std::ranges::any_of(keywords, [uri](std::string_view keyword) { return uri.starts_with(keyword); }) ||
      uri.find("password=") != uri.npos) {
    refuse("uri", "write a server as postgresql://USER@HOST/DATABASE");
  }
  // SQLite gives these names a meaning of its own.
  if (uri.empty() || uri.front() == ':' || uri.find('\0') != uri.npos) {
    refuse("uri", "sqlite: needs the path of a file");
  }
  return sqlite::open_repository(std::string(uri), options);
}

History open(std::string_view uri, Options options) {
  auto repository = open_repository(uri, options);
  return History(std::move(repository), std::move(options));
}

}  // namespace actionhist
