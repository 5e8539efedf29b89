// Characters as the tokenisers of published models see them. All functions may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace actionhist {

struct Character {
  std::int32_t code = 0xfffd;  // U+FFFD for a byte that is no UTF-8
  std::size_t bytes = 1;
};

// REQUIRES: at < text.size().
Character character_at(std::string_view text, std::size_t at);
void append_character(std::string& out, std::int32_t code);
// The bytes of what people see as one character: a letter with its accents, an emoji with its colour.
// REQUIRES: at < text.size().
std::size_t visible_character_at(std::string_view text, std::size_t at);
// Characters, not bytes.
std::size_t character_count(std::string_view text);
// The first `characters` of them.
std::string_view first_characters(std::string_view text, std::size_t characters);

// Unicode's White_Space.
bool is_white_space(std::int32_t code);
// Cc, Cf, Cs and Co, without tab and line ends.
bool is_control(std::int32_t code);
// Unicode's P categories and every ASCII character that is neither letter, digit, space nor control.
bool is_punctuation(std::int32_t code);
// Unicode's L and N categories.
bool is_letter(std::int32_t code);
bool is_number(std::int32_t code);
// Mn: accents, vowel signs and the like.
bool is_nonspacing_mark(std::int32_t code);
// The blocks that BERT separates into single characters.
bool is_bert_ideograph(std::int32_t code);

enum class NormalForm { nfc, nfd, nfkc, nfkd };
// REQUIRES: `text` is UTF-8.
std::string normal_form(std::string_view text, NormalForm form);
void append_lower_case(std::string& out, std::int32_t code);

}  // namespace actionhist
