// How the library says that an argument is wrong: the field, then the fix.
#pragma once

#include <optional>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include <actionhist/error.hpp>

namespace actionhist {

// Throws Error: invalid_argument, "field: why".
[[noreturn]] inline void refuse(std::string_view field, std::string_view why) {
  throw Error(ErrorCode::invalid_argument, fmt::format("{}: {}", field, why));
}

// Refuses what is below `least`, above `most`, or no number.
template <typename Number>
void require_between(std::string_view field, Number value, std::type_identity_t<Number> least,
                     std::type_identity_t<Number> most) {
  if (!(value >= least && value <= most))
    refuse(field, fmt::format("must be between {} and {}", least, most));
}

// What is absent may be.
template <typename Number>
void require_between(std::string_view field, const std::optional<Number>& value,
                     std::type_identity_t<Number> least, std::type_identity_t<Number> most) {
  if (value) require_between(field, *value, least, most);
}

}  // namespace actionhist
