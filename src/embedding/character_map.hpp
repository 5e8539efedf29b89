// SentencePiece's table of what characters are replaced by before a text is split ("Precompiled" in a tokenizer.json):
// a double-array trie, and the replacements, each ended by a zero. Any thread may apply it at once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace actionhist {

class CharacterMap {
 public:
  // Nothing if the bytes are no such table.
  static std::optional<CharacterMap> read(std::string_view bytes);

  // What the reference does, character by character as people see them: a short one is replaced as a whole, of others
  // each code point. REQUIRES: `text` is UTF-8.
  void apply(std::string& text) const;

 private:
  // For the shortest key that `text` begins with.
  std::optional<std::string_view> replacement(std::string_view text) const;

  std::vector<std::uint32_t> nodes_;
  std::string replacements_;
};

}  // namespace actionhist
