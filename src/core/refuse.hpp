// How the library says that an argument is wrong: the field, then the fix.
#pragma once

#include <string_view>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist {

// Throws Error: invalid_argument, "field: why".
[[noreturn]] inline void refuse(std::string_view field, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", field, why));
}

}  // namespace actionhist
