// Byte-level byte-pair encoding (GPT-2, RoBERTa): a word is taken byte by byte, and the two neighbours that the vocabulary
// joined first are joined, until there are none. Nothing is unknown to it. Any thread may encode at once.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "embedding/model_json.hpp"

namespace actionhist {

class BytePairs {
 public:
  // Of the "model" and the "pre_tokenizer" of a tokenizer.json.
  // Throws Error: invalid_argument, naming what is wrong or not offered.
  BytePairs(const ModelJson& model, const ModelJson& pre_tokenizer);

  // Appends the ids of a text until there are `limit`, or a few more. REQUIRES: `text` is UTF-8.
  void encode(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& ids) const;

 private:
  struct Join {
    std::uint32_t rank;  // the lowest goes first
    std::uint32_t id;    // of the two together
  };

  // Of two neighbours, or null.
  const Join* join_of(std::uint32_t left, std::uint32_t right) const;
  void encode_word(std::string_view word, std::vector<std::uint32_t>& ids) const;

  std::array<std::uint32_t, 256> ids_of_bytes_{};
  std::unordered_map<std::uint64_t, Join> joins_;  // by left id << 32 | right id
  bool blank_first_ = false;                       // put a blank before a text that begins without
};

}  // namespace actionhist
