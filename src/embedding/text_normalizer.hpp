// The "normalizer" of a tokenizer.json: what happens to a text before it is split.
// Any thread may normalise at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "embedding/character_map.hpp"
#include "embedding/model_json.hpp"
#include "embedding/unicode.hpp"

namespace actionhist {

class TextNormalizer {
 public:
  // Nothing leaves texts as they are. Throws Error: invalid_argument, naming what is not offered here.
  explicit TextNormalizer(const std::optional<ModelJson>& json);

  // REQUIRES: `text` is UTF-8.
  void apply(std::string& text) const;

 private:
  struct Bert {
    bool clean_text, chinese_characters, strip_accents, lowercase;
  };
  struct Lowercase {};
  struct StripAccents {};
  struct Replace {
    std::string pattern, content;
  };
  struct ReplaceSpaces {
    std::size_t least;  // shorter runs stay
    bool only_blanks;   // the character ' ' alone, not all white space
    std::string content;
  };
  struct Strip {
    bool left, right;
  };
  using Step =
      std::variant<Bert, Lowercase, StripAccents, Replace, ReplaceSpaces, Strip, NormalForm, CharacterMap>;

  void add(const ModelJson& json, int depth);
  static void apply(const Bert& step, std::string& text);
  static void apply(const Lowercase& step, std::string& text);
  static void apply(const StripAccents& step, std::string& text);
  static void apply(const Replace& step, std::string& text);
  static void apply(const ReplaceSpaces& step, std::string& text);
  static void apply(const Strip& step, std::string& text);
  static void apply(const NormalForm& step, std::string& text) { text = normal_form(text, step); }
  static void apply(const CharacterMap& step, std::string& text) { step.apply(text); }

  std::vector<Step> steps_;
};

}  // namespace actionhist
