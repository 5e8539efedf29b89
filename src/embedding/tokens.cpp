#include "embedding/tokens.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <span>

#include <libstemmer.h>
#include <utf8proc.h>

#include <actionhist/error.hpp>

namespace actionhist {
namespace {

// Longer words are cut, longer identifiers are given by their words only: they are data, not language.
constexpr std::size_t max_word = 64;
constexpr std::size_t max_whole = 128;

// No words of direction or denial (up, down, off, out, over, under, not, no): alerts are made of them.
// Sorted. Single letters and ll, re, ve are what remains of contractions.
constexpr std::array<std::string_view, 113> stop_words = {
    "a",      "about", "after",  "again",   "all",   "also",   "am",    "an",    "and",    "any",   "are",
    "as",     "at",    "be",     "because", "been",  "before", "being", "both",  "but",    "by",    "can",
    "cannot", "could", "d",      "did",     "do",    "does",   "doing", "each",  "for",    "from",  "had",
    "has",    "have",  "having", "he",      "her",   "here",   "him",   "his",   "how",    "i",     "if",
    "in",     "into",  "is",     "it",      "its",   "itself", "ll",    "m",     "may",    "me",    "might",
    "more",   "most",  "must",   "my",      "of",    "on",     "or",    "other", "our",    "own",   "please",
    "re",     "s",     "same",   "shall",   "she",   "should", "so",    "some",  "such",   "t",     "than",
    "that",   "the",   "their",  "them",    "then",  "there",  "these", "they",  "this",   "those", "through",
    "to",     "too",   "ve",     "very",    "was",   "we",     "were",  "what",  "when",   "where", "whether",
    "which",  "while", "who",    "whom",    "whose", "why",    "will",  "with",  "within", "would", "yet",
    "you",    "your",  "yours"};
static_assert(std::ranges::is_sorted(stop_words));

enum class Class : std::uint8_t { other, joiner, upper, lower, digit, mark, ideograph };

constexpr std::array<Class, 128> ascii_classes = [] {
  std::array<Class, 128> classes{};
  for (unsigned char c = 'A'; c <= 'Z'; ++c) classes[c] = Class::upper;
  for (unsigned char c = 'a'; c <= 'z'; ++c) classes[c] = Class::lower;
  for (unsigned char c = '0'; c <= '9'; ++c) classes[c] = Class::digit;
  classes['_'] = classes['-'] = Class::joiner;
  return classes;
}();

struct Symbol {
  std::int32_t code = -1;
  std::size_t size = 1;  // in bytes
  Class kind = Class::other;
};

bool is_ideograph(std::int32_t code) {
  return (code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3041 && code <= 0x30ff) ||
         (code >= 0xac00 && code <= 0xd7a3) || (code >= 0x3400 && code <= 0x4dbf) ||
         (code >= 0x3005 && code <= 0x3007) || (code >= 0xf900 && code <= 0xfaff) ||
         (code >= 0x31f0 && code <= 0x31ff) || (code >= 0xff66 && code <= 0xff9f) ||
         (code >= 0x3131 && code <= 0x318e) || (code >= 0x20000 && code <= 0x3ffff);
}

Symbol symbol_at(std::string_view text, std::size_t at) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at;
  if (*bytes < 128) return {*bytes, 1, ascii_classes[*bytes]};
  Symbol symbol;
  const auto size = utf8proc_iterate(bytes, static_cast<utf8proc_ssize_t>(text.size() - at), &symbol.code);
  if (size <= 0) return {};
  symbol.size = static_cast<std::size_t>(size);
  switch (utf8proc_category(symbol.code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LT: symbol.kind = Class::upper; break;
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_NL:
      symbol.kind = is_ideograph(symbol.code) ? Class::ideograph : Class::lower;
      break;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NO: symbol.kind = Class::digit; break;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME: symbol.kind = Class::mark; break;
    default: break;
  }
  return symbol;
}

// Compatibility forms, case and Latin accents are folded, so that "Zürich" is found as zurich.
void append_folded(std::string& out, std::int32_t code) {
  std::array<utf8proc_int32_t, 24> parts;
  int boundary = 0;
  const auto count = utf8proc_decompose_char(
      code, parts.data(), static_cast<utf8proc_ssize_t>(parts.size()),
      static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD), &boundary);
  if (count < 0) return;
  for (const utf8proc_int32_t part : std::span(parts).first(static_cast<std::size_t>(count))) {
    if (part >= 0x300 && part <= 0x36f) continue;
    std::array<utf8proc_uint8_t, 4> bytes;
    const auto size = utf8proc_encode_char(part, bytes.data());
    out.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(size));
  }
}

// A stemmer keeps its last answer inside, so each thread has its own; with it the stems of recent words,
// because the words of alerts and actions repeat and a stem costs as much as all features of its word.
class Stemmer {
 public:
  Stemmer() : stemmer_(sb_stemmer_new("english", "UTF_8")) {
    if (!stemmer_) throw Error(ErrorCode::internal, "tokens: libstemmer has no English stemmer");
  }

  // Valid until the next call.
  std::string_view stem(std::string_view word) {
    Recent& recent = recent_[std::hash<std::string_view>()(word) % recent_.size()];
    if (recent.word == word) return recent.stem;
    const auto* out = sb_stemmer_stem(stemmer_.get(), reinterpret_cast<const sb_symbol*>(word.data()),
                                      static_cast<int>(word.size()));
    if (out == nullptr) return word;
    recent.word = word;
    recent.stem.assign(reinterpret_cast<const char*>(out),
                       static_cast<std::size_t>(sb_stemmer_length(stemmer_.get())));
    return recent.stem;
  }

 private:
  struct Delete {
    void operator()(sb_stemmer* stemmer) const { sb_stemmer_delete(stemmer); }
  };
  struct Recent {
    std::string word;
    std::string stem;
  };

  std::unique_ptr<sb_stemmer, Delete> stemmer_;
  std::array<Recent, 1024> recent_;
};

bool is_stop_word(std::string_view word) {
  return word.size() <= 7 && std::ranges::binary_search(stop_words, word);
}

bool is_ascii(std::string_view word) {
  return std::ranges::none_of(word, [](char c) { return static_cast<unsigned char>(c) >= 128; });
}

}  // namespace

bool Tokenizer::next(Token& token) {
  for (;;) {
    while (next_piece_ < pieces_.size()) {
      if (emit(pieces_[next_piece_++], token)) return true;
    }
    if (!read_run()) return false;
  }
}

bool Tokenizer::emit(const Piece& piece, Token& token) {
  token.word = std::string_view(folded_).substr(piece.folded_begin, piece.folded_end - piece.folded_begin);
  token.term = token.word;
  token.surface = text_.substr(piece.surface_begin, piece.surface_end - piece.surface_begin);
  token.whole = piece.kind == Piece::whole;
  if (piece.kind == Piece::word && is_stop_word(token.word)) return false;
  const bool english = (piece.kind == Piece::word || piece.kind == Piece::whole) && is_ascii(token.word);
  if (english) {
    thread_local Stemmer stemmer;
    token.term = stemmer.stem(token.word);
  }
  return !token.word.empty();
}

bool Tokenizer::read_run() {
  folded_.clear();
  pieces_.clear();
  next_piece_ = 0;
  while (at_ < text_.size()) {
    const Symbol symbol = symbol_at(text_, at_);
    switch (symbol.kind) {
      case Class::upper:
      case Class::lower:
      case Class::digit: read_identifier(); return true;
      case Class::ideograph: read_ideographs(); return true;
      default: at_ += symbol.size;
    }
  }
  return false;
}

// Reads letters, digits and single joiners between them, cutting as
// [A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+ would.
void Tokenizer::read_identifier() {
  Class last = Class::other;       // of the piece being read
  std::size_t letters = 0;         // in the piece being read
  std::uint32_t upper_folded = 0;  // where its last capital begins
  std::size_t upper_surface = 0;
  const std::size_t begin = at_;
  std::size_t end = at_;  // after the last letter or digit
  const auto close = [&](std::uint32_t folded, std::size_t surface) {
    Piece& piece = pieces_.back();
    piece.folded_end = folded;
    piece.surface_end = surface;
  };
  const auto open = [&](std::uint32_t folded, std::size_t surface, Class kind) {
    if (!pieces_.empty() && last != Class::joiner) close(folded, surface);
    pieces_.push_back({folded, folded, surface, surface, kind == Class::digit ? Piece::number : Piece::word});
    letters = 0;
  };
  while (at_ < text_.size()) {
    const Symbol symbol = symbol_at(text_, at_);
    if (symbol.kind == Class::joiner) {
      if (last == Class::joiner) break;
      close(static_cast<std::uint32_t>(folded_.size()), at_);
      last = Class::joiner;
      at_ += symbol.size;
      continue;
    }
    const auto folded = static_cast<std::uint32_t>(folded_.size());
    if (symbol.kind == Class::mark) {
      if (last == Class::joiner) break;
    } else if (symbol.kind == Class::upper || symbol.kind == Class::lower || symbol.kind == Class::digit) {
      const bool longest = !pieces_.empty() && folded - pieces_.back().folded_begin >= max_word;
      if (symbol.kind == Class::lower && last == Class::upper && !longest) {
        if (letters > 1) open(upper_folded, upper_surface, symbol.kind);
      } else if (symbol.kind != last || longest) {
        open(folded, at_, symbol.kind);
      }
      if (symbol.kind == Class::upper) {
        upper_folded = folded;
        upper_surface = at_;
      }
      last = symbol.kind;
      ++letters;
    } else {
      break;
    }
    if (symbol.code < 128) {
      folded_ +=
          symbol.kind == Class::upper ? static_cast<char>(symbol.code | 32) : static_cast<char>(symbol.code);
    } else {
      append_folded(folded_, symbol.code);
    }
    at_ += symbol.size;
    end = at_;
  }
  if (last != Class::joiner) close(static_cast<std::uint32_t>(folded_.size()), end);
  if (pieces_.size() > 1 && folded_.size() <= max_whole) {
    pieces_.push_back({0, static_cast<std::uint32_t>(folded_.size()), begin, end, Piece::whole});
  }
}

// Single characters are found by any query, pairs put the word before its scattered characters.
void Tokenizer::read_ideographs() {
  std::uint32_t previous_folded = 0;
  std::size_t previous_surface = 0;
  bool first = true;
  while (at_ < text_.size()) {
    const Symbol symbol = symbol_at(text_, at_);
    if (symbol.kind != Class::ideograph) break;
    const auto folded = static_cast<std::uint32_t>(folded_.size());
    folded_ += text_.substr(at_, symbol.size);
    const auto folded_end = static_cast<std::uint32_t>(folded_.size());
    const std::size_t surface_end = at_ + symbol.size;
    pieces_.push_back({folded, folded_end, at_, surface_end, Piece::ideograph});
    if (!first)
      pieces_.push_back({previous_folded, folded_end, previous_surface, surface_end, Piece::ideograph});
    first = false;
    previous_folded = folded;
    previous_surface = at_;
    at_ = surface_end;
  }
}

}  // namespace actionhist
