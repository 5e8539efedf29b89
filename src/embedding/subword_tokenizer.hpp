// Splits texts as a published model's tokenizer.json says, into the ids that its vectors go by.
// Any thread may encode at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "embedding/byte_pairs.hpp"
#include "embedding/byte_trie.hpp"
#include "embedding/text_normalizer.hpp"

namespace actionhist {

// Longest match first (BERT): a word is cut into known pieces, all but the first with a prefix such as "##".
// A word that cannot be cut, or is longer than `max_characters`, is unknown as a whole.
struct WordPiece {
  ByteTrie begins;
  ByteTrie continues;  // without the prefix
  std::uint32_t unknown = 0;
  std::size_t max_characters = 100;

  void encode(std::string_view word, std::vector<std::uint32_t>& ids) const;
};

// The most probable cut (SentencePiece): each piece has a score, and the sum is made as large as can be.
struct Unigram {
  ByteTrie pieces;
  std::vector<double> scores;
  std::uint32_t unknown = 0;
  double unknown_score = 0;
  std::vector<std::uint32_t> bytes;  // the ids of <0x00> … <0xFF>, or empty

  void encode(std::string_view word, std::vector<std::uint32_t>& ids) const;
};

class SubwordTokenizer {
 public:
  // Offered are BertPreTokenizer with WordPiece, Metaspace (also after WhitespaceSplit) with Unigram, and ByteLevel
  // with BPE, each after the normalisers that TextNormalizer knows.
  // Throws Error: invalid_argument, naming what is wrong or not offered.
  explicit SubwordTokenizer(std::string_view json);

  // Appends the ids of the text, at most `limit`. Names of special tokens in the text are text.
  // Bytes that are no UTF-8 count as U+FFFD.
  void encode(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& ids) const;

  // The id that stands for what is not in the vocabulary; byte-level models have none.
  std::optional<std::uint32_t> unknown() const;
  // Every id is smaller.
  std::size_t size() const { return size_; }
  // Of a piece of the vocabulary, in characters, rounded down.
  std::size_t median_length() const { return median_length_; }

  // What a model for sentences wants around each text: [CLS] and [SEP].
  std::span<const std::uint32_t> before() const { return before_; }
  std::span<const std::uint32_t> after() const { return after_; }

 private:
  struct Metaspace {
    std::string replacement;
    bool prepend = true;
    bool split = true;
    bool each_word = false;  // of those between white space, each for itself
  };

  using Lengths = std::unordered_map<std::uint32_t, std::size_t>;  // of each token, in characters

  void read_added_tokens(const ModelJson& root, Lengths& lengths);
  void read_word_piece(const ModelJson& root, Lengths& lengths);
  void read_unigram(const ModelJson& root, const Lengths& special, Lengths& lengths);
  void read_metaspace(const ModelJson& pre_tokenizer);
  void read_post_processor(const ModelJson& root);
  void see(std::uint32_t id, std::string_view token, Lengths& lengths);
  void encode_bert_words(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& ids) const;
  void encode_metaspace(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& ids) const;
  void encode_metaspace_word(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& ids) const;

  std::optional<TextNormalizer> normalizer_;
  Metaspace metaspace_;  // with Unigram
  std::variant<WordPiece, Unigram, BytePairs> model_;
  std::size_t size_ = 0;
  std::size_t median_length_ = 1;
  std::vector<std::uint32_t> before_;
  std::vector<std::uint32_t> after_;
};

}  // namespace actionhist
