#include "embedding/text_normalizer.hpp"

#include <array>

#include "core/ascii.hpp"
#include "core/base64.hpp"

namespace actionhist {
namespace {

constexpr std::array<std::pair<std::string_view, NormalForm>, 4> forms{{{"NFC", NormalForm::nfc},
                                                                        {"NFD", NormalForm::nfd},
                                                                        {"NFKC", NormalForm::nfkc},
                                                                        {"NFKD", NormalForm::nfkd}}};

// The part of `text` from `at` that has no ASCII character in it. Normal forms never reach across one.
std::size_t foreign_run(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && static_cast<unsigned char>(text[end]) >= 128) ++end;
  return end - at;
}

}  // namespace

TextNormalizer::TextNormalizer(const std::optional<ModelJson>& json) {
  if (json) add(*json, 0);
}

void TextNormalizer::add(const ModelJson& json, int depth) {
  const auto type = json.get<std::string_view>("type");
  if (type == "Sequence") {
    if (depth > 8) refuse(json.place(), "is nested too deep");
    for (const JsonElement item : json.get<simdjson::dom::array>("normalizers")) {
      add(ModelJson(item, json.place("normalizers")), depth + 1);
    }
    return;
  }
  if (type == "BertNormalizer") {
    const bool lowercase = json.get("lowercase", true);
    steps_.push_back(Bert{json.get("clean_text", true), json.get("handle_chinese_chars", true),
                          json.get("strip_accents", lowercase), lowercase});
  } else if (type == "Lowercase") {
    steps_.push_back(Lowercase{});
  } else if (type == "StripAccents") {
    steps_.push_back(StripAccents{});
  } else if (type == "Strip") {
    steps_.push_back(Strip{json.get("strip_left", true), json.get("strip_right", true)});
  } else if (type == "Precompiled") {
    const auto bytes = from_base64(json.get<std::string_view>("precompiled_charsmap"));
    auto map = bytes ? CharacterMap::read(*bytes) : std::nullopt;
    if (!map) refuse(json.place("precompiled_charsmap"), "is no table of characters");
    steps_.push_back(std::move(*map));
  } else if (type == "Replace") {
    const ModelJson pattern = json.object("pattern");
    const std::string content(json.get<std::string_view>("content"));
    if (pattern.member("String")) {
      const std::string text(pattern.get<std::string_view>("String"));
      if (text.empty()) refuse(pattern.place("String"), "is empty");
      steps_.push_back(Replace{text, content});
      return;
    }
    const auto regex = pattern.get<std::string_view>("Regex");
    if (regex == " {2,}") {
      steps_.push_back(ReplaceSpaces{2, true, content});
    } else if (regex == "\\s+") {
      steps_.push_back(ReplaceSpaces{1, false, content});
    } else {
      refuse(pattern.place("Regex"),
             fmt::format("\"{}\" is not offered; only \\s+ and \" {{2,}}\" are", regex));
    }
  } else {
    for (const auto& [name, form] : forms) {
      if (type != name) continue;
      steps_.push_back(form);
      return;
    }
    refuse(json.place("type"), fmt::format("\"{}\" is not offered", type));
  }
}

void TextNormalizer::apply(std::string& text) const {
  for (const Step& step : steps_) {
    std::visit([&](const auto& one) { apply(one, text); }, step);
  }
}

void TextNormalizer::apply(const Bert& step, std::string& text) {
  std::string out;
  out.reserve(text.size());
  std::string cleaned;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t foreign = foreign_run(text, at);
    if (foreign == 0) {
      const char c = text[at++];
      const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
      if (!step.clean_text || !control) {
        out += step.lowercase ? ascii_lower(c) : c;
      } else if (!is_control(c)) {
        out += ' ';
      }
      continue;
    }
    cleaned.clear();
    for (const std::size_t end = at + foreign; at < end;) {
      const Character character = character_at(text, at);
      at += character.bytes;
      if (step.clean_text && (character.code == 0xfffd || is_control(character.code))) continue;
      if (step.clean_text && is_white_space(character.code)) {
        cleaned += ' ';
      } else if (step.chinese_characters && is_bert_ideograph(character.code)) {
        cleaned += ' ';
        append_character(cleaned, character.code);
        cleaned += ' ';
      } else {
        append_character(cleaned, character.code);
      }
    }
    if (step.strip_accents) apply(StripAccents{}, cleaned = normal_form(cleaned, NormalForm::nfd));
    if (step.lowercase) apply(Lowercase{}, cleaned);
    out += cleaned;
  }
  text = std::move(out);
}

void TextNormalizer::apply(const Lowercase&, std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    at += character.bytes;
    append_lower_case(out, character.code);
  }
  text = std::move(out);
}

void TextNormalizer::apply(const StripAccents&, std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    if (!is_nonspacing_mark(character.code)) out += std::string_view(text).substr(at, character.bytes);
    at += character.bytes;
  }
  text = std::move(out);
}

void TextNormalizer::apply(const Replace& step, std::string& text) {
  std::size_t at = text.find(step.pattern);
  if (at == text.npos) return;
  std::string out;
  std::size_t from = 0;
  for (; at != text.npos; at = text.find(step.pattern, from)) {
    out.append(text, from, at - from) += step.content;
    from = at + step.pattern.size();
  }
  out.append(text, from);
  text = std::move(out);
}

void TextNormalizer::apply(const ReplaceSpaces& step, std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    std::size_t length = 0;
    while (end < text.size()) {
      const Character character = character_at(text, end);
      if (step.only_blanks ? character.code != ' ' : !is_white_space(character.code)) break;
      end += character.bytes;
      ++length;
    }
    if (length == 0) {
      const std::size_t bytes = character_at(text, at).bytes;
      out += std::string_view(text).substr(at, bytes);
      at += bytes;
      continue;
    }
    out +=
        length >= step.least ? std::string_view(step.content) : std::string_view(text).substr(at, end - at);
    at = end;
  }
  text = std::move(out);
}

void TextNormalizer::apply(const Strip& step, std::string& text) {
  std::size_t begin = 0;
  std::size_t end = 0;  // after the last character that stays
  bool kept = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    const bool space = is_white_space(character.code);
    if (!space && !kept) begin = at;
    kept = kept || !space;
    at += character.bytes;
    if (!space) end = at;
  }
  if (!kept) {
    if (step.left || step.right) text.clear();
    return;
  }
  if (step.right) text.resize(end);
  if (step.left) text.erase(0, begin);
}

}  // namespace actionhist
