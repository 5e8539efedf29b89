// What both engines refuse of embedding spaces, in the same words.
#pragma once

#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist::sql {

[[noreturn]] inline void refuse_dimension(std::string_view space_id, std::int64_t known, std::int64_t given) {
  throw Error(
      ErrorCode::conflict,
      fmt::format("space_id: \"{}\" has {} dimensions, not {}; give the other model a name of its own",
                  space_id, known, given));
}

[[noreturn]] inline void refuse_drop(std::string_view space_id) {
  throw Error(ErrorCode::conflict,
              fmt::format("space_id: searches use \"{}\"; switch to another space first", space_id));
}

}  // namespace actionhist::sql
