// Which database a URI means. May be used from any thread.
#pragma once

#include <string_view>

namespace actionhist {

// True for a database server, false for a file and for memory.
inline bool is_server_uri(std::string_view uri) noexcept {
  return uri.starts_with("postgresql:") || uri.starts_with("postgres:");
}

}  // namespace actionhist
