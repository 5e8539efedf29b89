#include "history/secret_manifest.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

namespace actionhist {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

// Where the line's own text begins; what stands after a list's dash is as deep as it stands.
std::size_t indent_of(std::string_view line) {
  const auto first = line.find_first_not_of(" \t-");
  return first == line.npos ? line.size() : first;
}

bool blank(std::string_view line) { return line.find_first_not_of(" \t\r\n") == line.npos; }

// One document of a YAML text, which is of a Secret: keys stay, values and the lines that go on with them do not.
class Manifest {
 public:
  explicit Manifest(std::string_view mark) : mark_(mark) {}

  void add(std::string_view line) {
    const std::size_t indent = indent_of(line);
    if (block_ && (blank(line) || indent > *block_)) return add_hidden(line, indent);
    block_.reset();
    static const RE2 data(R"([\s\-]*["']?(?:data|stringData)["']?:)");
    re2::StringPiece rest = piece(line);
    if (!RE2::Consume(&rest, data)) {
      text_ += line;
      return;
    }
    block_ = indent;
    inner_.reset();
    const std::string_view value(rest.data(), rest.size());
    if (blank(value)) {
      text_ += line;
    } else {
      add_marked(line.substr(0, line.size() - value.size()));
    }
  }

  std::string take() { return std::move(text_); }

 private:
  void add_hidden(std::string_view line, std::size_t indent) {
    if (blank(line)) return;
    if (!inner_) inner_ = indent;
    if (indent > *inner_) return;
    const auto colon = line.find(':');
    add_marked(line.substr(0, colon == line.npos ? indent : colon + 1));
  }

  void add_marked(std::string_view key) {
    text_ += fmt::format("{}{}{}\n", key, key.ends_with(':') ? " " : "", mark_);
  }

  std::string_view mark_;
  std::string text_;
  std::optional<std::size_t> block_;  // how deep `data` stands, while it lasts
  std::optional<std::size_t> inner_;  // how deep its keys stand
};

std::string without_data(std::string_view document, std::string_view mark) {
  Manifest manifest(mark);
  while (!document.empty()) {
    const auto end = document.find('\n');
    const std::string_view line = document.substr(0, end == document.npos ? end : end + 1);
    manifest.add(line);
    document.remove_prefix(line.size());
  }
  return manifest.take();
}

// Documents are told apart, so that what stands beside a Secret is kept. Only a Secret has `stringData`.
bool hide_in_yaml(std::string& text, std::string_view mark, bool of_secret) {
  static const RE2 secret(
      R"((?m)^[ \t\-]*["']?(?:kind["']?:[ \t]*["']?Secret(?:List)?["']?[ \t]*\r?$|stringData["']?:))");
  static const RE2 part(R"((?m)^[ \t\-]*["']?(?:data|stringData)["']?:)");
  const RE2& kind = of_secret ? part : secret;
  if (!RE2::PartialMatch(text, kind)) return false;
  std::string kept;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = rest.find("\n---");
    const std::string_view document = rest.substr(0, end == rest.npos ? end : end + 1);
    if (RE2::PartialMatch(piece(document), kind)) {
      kept += without_data(document, mark);
    } else {
      kept += document;
    }
    rest.remove_prefix(document.size());
  }
  text = std::move(kept);
  return true;
}

// Also a part of a text, or with the escapes of a text in a text.
bool hide_in_json(std::string& text, std::string_view mark, bool of_secret) {
  static const RE2 kind(
      R"("kind\\*"\s*:\s*\\*"Secret(?:List)?\\*"|"stringData\\*"|\bkubectl\b[^\n]*\bsecrets?\b)");
  static const RE2 data(
      R"json(((?:^|[^\\])"(?:data|stringData)"\s*:\s*)\{(?:[^{}"]|"(?:[^"\\]|\\.)*"?)*\}?)json");
  static const RE2 escaped(
      R"json((\\+"(?:data|stringData)\\+"\s*:\s*)\{(?:[^{}"\\]|\\+"(?:[^"\\]|\\+[^"\\])*(?:\\+")?|\\+[^"\\{}])*\}?)json");
  if (!of_secret && !RE2::PartialMatch(text, kind)) return false;
  const std::string instead = fmt::format(R"(\1{{{}}})", mark);
  const int in_text = RE2::GlobalReplace(&text, escaped, instead);
  return RE2::GlobalReplace(&text, data, instead) + in_text > 0;
}

}  // namespace

std::optional<std::string> without_secret_data(std::string_view text, std::string_view mark, bool of_secret) {
  static const RE2 hint("Secret|stringData|secret.*data");
  if (!of_secret && !RE2::PartialMatch(piece(text), hint)) return std::nullopt;
  std::string kept(text);
  const bool yaml = hide_in_yaml(kept, mark, of_secret);
  const bool json = hide_in_json(kept, mark, of_secret);
  if (!yaml && !json) return std::nullopt;
  return kept;
}

}  // namespace actionhist
