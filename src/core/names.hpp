// Enumerators and their stored names: one table a type serves both directions.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "core/refuse.hpp"

namespace actionhist {

template <class Enum, std::size_t size>
using NameTable = std::array<std::pair<Enum, std::string_view>, size>;

template <class Enum, std::size_t size>
std::string_view name_of(const NameTable<Enum, size>& table, Enum value) noexcept {
  for (const auto& [known, name] : table) {
    if (known == value) return name;
  }
  return "unknown";
}

// The beginning of a text for a message, cut between characters.
inline std::string_view excerpt(std::string_view text, std::size_t bytes = 64) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

// Whether they are the same but for hyphens and underscores, either of which may part words.
inline bool same_name(std::string_view a, std::string_view b) noexcept {
  const auto plain = [](char c) { return c == '_' ? '-' : c; };
  return std::ranges::equal(a, b, {}, plain, plain);
}

// Throws Error: invalid_argument, listing the known names.
template <class Enum, std::size_t size>
Enum value_of(const NameTable<Enum, size>& table, std::string_view text, std::string_view field) {
  std::string known_names;
  for (const auto& [known, name] : table) {
    if (same_name(name, text)) return known;
    known_names += known_names.empty() ? "" : ", ";
    known_names += name;
  }
  refuse(field, fmt::format("\"{}\" is none of {}", excerpt(text), known_names));
}

}  // namespace actionhist
