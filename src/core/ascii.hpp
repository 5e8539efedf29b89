// Letters of ASCII, whatever the locale says. Bytes of other characters in UTF-8 stay as they are.
#pragma once

#include <string>
#include <string_view>

namespace actionhist {

constexpr bool is_ascii_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }

constexpr char ascii_lower(char c) noexcept { return is_ascii_upper(c) ? static_cast<char>(c | 32) : c; }

inline std::string ascii_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = ascii_lower(c);
  return lower;
}

}  // namespace actionhist
