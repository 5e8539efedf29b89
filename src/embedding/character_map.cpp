#include "embedding/character_map.hpp"

#include <cstring>

#include <simdjson.h>

#include "embedding/unicode.hpp"

namespace actionhist {
namespace {

// Longer ones are never looked up as a whole, because the reference does not.
constexpr std::size_t longest_whole = 5;

// A node of the trie, as darts-clone packs it.
bool has_value(std::uint32_t node) { return (node >> 8 & 1) != 0; }
std::uint32_t value(std::uint32_t node) { return node & 0x7fff'ffff; }
std::uint32_t label(std::uint32_t node) { return node & 0x8000'00ff; }
std::uint32_t offset(std::uint32_t node) { return (node >> 10) << ((node & 0x200) >> 6); }

}  // namespace

std::optional<CharacterMap> CharacterMap::read(std::string_view bytes) {
  std::uint32_t size = 0;
  if (bytes.size() < sizeof size) return std::nullopt;
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  if (size == 0 || size > bytes.size() || size % sizeof(std::uint32_t) != 0) return std::nullopt;
  CharacterMap map;
  map.nodes_.resize(size / sizeof(std::uint32_t));
  std::memcpy(map.nodes_.data(), bytes.data(), size);
  map.replacements_ = bytes.substr(size);
  if (!simdjson::validate_utf8(map.replacements_)) return std::nullopt;
  return map;
}

std::optional<std::string_view> CharacterMap::replacement(std::string_view text) const {
  std::size_t at = offset(nodes_.front());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    at ^= byte;
    if (byte == 0 || at >= nodes_.size() || label(nodes_[at]) != byte) return std::nullopt;
    const std::uint32_t node = nodes_[at];
    at ^= offset(node);
    if (!has_value(node)) continue;
    if (at >= nodes_.size() || value(nodes_[at]) > replacements_.size()) return std::nullopt;
    const auto found = std::string_view(replacements_).substr(value(nodes_[at]));
    if (!found.empty() && (static_cast<unsigned char>(found.front()) & 0xc0) == 0x80) return std::nullopt;
    return found.substr(0, found.find('\0'));
  }
  return std::nullopt;
}

void CharacterMap::apply(std::string& text) const {
  const std::string_view all = text;
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < all.size();) {
    const std::string_view visible = all.substr(at, visible_character_at(all, at));
    at += visible.size();
    if (visible.size() <= longest_whole) {
      if (const auto whole = replacement(visible)) {
        out += *whole;
        continue;
      }
    }
    for (std::size_t i = 0; i < visible.size();) {
      const std::string_view one = visible.substr(i, character_at(visible, i).bytes);
      out += replacement(one).value_or(one);
      i += one.size();
    }
  }
  text = std::move(out);
}

}  // namespace actionhist
