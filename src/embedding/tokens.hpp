// The words of a text, as both legs of a search compare them. A Tokenizer belongs to one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace actionhist {

struct Token {
  std::string_view term;     // what is compared: folded and stemmed
  std::string_view word;     // folded only
  std::string_view surface;  // as it stands in the text
  bool whole = false;        // an identifier of several words, also given word by word
};

// Splits at what is neither letter nor digit, and inside identifiers by case and digits: "KubeAPIDown" gives
// kube, api, down and, as a token of its own, kubeapidown; so do kube-api-down and kube_api_down. Case and
// accents are folded. Ideographs, kana and Hangul give each character and each pair of neighbours. English
// words are stemmed, stop words left out. Bytes that are no UTF-8 separate words.
class Tokenizer {
 public:
  // REQUIRES: `text` outlives the tokenizer.
  explicit Tokenizer(std::string_view text) : text_(text) {}

  // False at the end of the text. The token is valid until the next call.
  bool next(Token& token);

 private:
  struct Piece {
    std::uint32_t folded_begin, folded_end;
    std::size_t surface_begin, surface_end;
    enum Kind : std::uint8_t { word, number, ideograph, whole } kind;
  };

  bool read_run();
  void read_identifier();
  void read_ideographs();
  bool emit(const Piece& piece, Token& token);

  std::string_view text_;
  std::size_t at_ = 0;
  std::string folded_;         // of the current run
  std::vector<Piece> pieces_;  // of the current run
  std::size_t next_piece_ = 0;
};

}  // namespace actionhist
