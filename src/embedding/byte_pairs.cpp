#include "embedding/byte_pairs.hpp"

#include <algorithm>
#include <queue>
#include <string>

#include "embedding/unicode.hpp"

namespace actionhist {
namespace {

// How vocabularies write a byte: itself if it can be seen in Latin-1, otherwise a letter from U+0100 on.
std::array<std::string, 256> written_bytes() {
  std::array<std::string, 256> written;
  std::int32_t next = 256;
  for (std::int32_t byte = 0; byte < 256; ++byte) {
    const bool visible = (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    append_character(written[static_cast<std::size_t>(byte)], visible ? byte : next++);
  }
  return written;
}

enum class Kind { letter, number, space, other };

Kind kind_of(std::int32_t code) {
  if (is_letter(code)) return Kind::letter;
  if (is_number(code)) return Kind::number;
  return is_white_space(code) ? Kind::space : Kind::other;
}

// The bytes from `at` on whose characters are of this kind.
std::size_t run_of(Kind kind, std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size()) {
    const Character character = character_at(text, end);
    if (kind_of(character.code) != kind) break;
    end += character.bytes;
  }
  return end - at;
}

// The length of the word at the beginning of `text`, as GPT-2's expression finds it:
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
std::size_t word_length(std::string_view text) {
  for (const std::string_view ending : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"}) {
    if (text.starts_with(ending)) return ending.size();
  }
  const std::size_t blank = text.front() == ' ' ? 1 : 0;
  if (blank < text.size()) {
    const Kind kind = kind_of(character_at(text, blank).code);
    if (kind != Kind::space) return blank + run_of(kind, text, blank);
  }
  // The last white space before a word is left to it.
  const std::size_t spaces = run_of(Kind::space, text, 0);
  if (spaces == text.size()) return spaces;
  std::size_t last = spaces - 1;
  while ((static_cast<unsigned char>(text[last]) & 0xc0) == 0x80) --last;
  return last == 0 ? spaces : last;
}

std::uint64_t pair_key(std::uint32_t left, std::uint32_t right) {
  return static_cast<std::uint64_t>(left) << 32 | right;
}

}  // namespace

BytePairs::BytePairs(const ModelJson& model, const ModelJson& pre_tokenizer) {
  const auto type = pre_tokenizer.get<std::string_view>("type");
  if (type != "ByteLevel") {
    refuse(pre_tokenizer.place(), fmt::format("\"{}\" is not offered with BPE", excerpt(type)));
  }
  if (!pre_tokenizer.get("use_regex", true)) refuse(pre_tokenizer.place("use_regex"), "must be true");
  blank_first_ = pre_tokenizer.get("add_prefix_space", true);
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!model.get<std::string_view>(key, "").empty()) refuse(model.place(key), "is not offered");
  }
  if (model.get("ignore_merges", false)) refuse(model.place("ignore_merges"), "is not offered");
  if (model.get("dropout", 0.0) != 0) refuse(model.place("dropout"), "must be 0");

  std::unordered_map<std::string_view, std::uint32_t> ids;
  for (const auto& [token, value] : model.get<simdjson::dom::object>("vocab")) {
    ids.emplace(token, read_token_id(value, model.place("vocab")));
  }
  const auto id_of = [&](std::string_view token, std::string_view key) {
    const auto at = ids.find(token);
    if (at == ids.end()) {
      refuse(model.place(key), fmt::format("\"{}\" is not in the vocabulary", excerpt(token)));
    }
    return at->second;
  };
  const auto written = written_bytes();
  for (std::size_t byte = 0; byte < written.size(); ++byte)
    ids_of_bytes_[byte] = id_of(written[byte], "vocab");
  std::uint32_t rank = 0;
  for (const JsonElement item : model.get<simdjson::dom::array>("merges")) {
    // Newer files have pairs, older ones a text with a blank between.
    std::string_view left;
    std::string_view right;
    simdjson::dom::array pair;
    if (item.get(pair) == simdjson::SUCCESS) {
      if (pair.size() != 2 || pair.at(0).get(left) != simdjson::SUCCESS ||
          pair.at(1).get(right) != simdjson::SUCCESS) {
        refuse(model.place("merges"), "holds what is no pair");
      }
    } else if (item.get(left) == simdjson::SUCCESS) {
      const std::size_t blank = left.find(' ');
      if (blank == left.npos) refuse(model.place("merges"), "holds what is no pair");
      right = left.substr(blank + 1);
      left = left.substr(0, blank);
    } else {
      refuse(model.place("merges"), "holds what is no pair");
    }
    const Join join{rank++, id_of(std::string(left) += right, "merges")};
    joins_.insert_or_assign(pair_key(id_of(left, "merges"), id_of(right, "merges")), join);
  }
}

void BytePairs::encode(std::string_view text, std::size_t limit, std::vector<std::uint32_t>& ids) const {
  if (text.empty()) return;
  std::string with_blank;
  if (blank_first_ && !text.starts_with(' ')) text = with_blank.append(1, ' ').append(text);
  const std::size_t first = ids.size();
  while (!text.empty() && ids.size() - first < limit) {
    const std::size_t length = word_length(text);
    encode_word(text.substr(0, length), ids);
    text.remove_prefix(length);
  }
}

const BytePairs::Join* BytePairs::join_of(std::uint32_t left, std::uint32_t right) const {
  const auto at = joins_.find(pair_key(left, right));
  return at == joins_.end() ? nullptr : &at->second;
}

void BytePairs::encode_word(std::string_view word, std::vector<std::uint32_t>& ids) const {
  constexpr std::size_t none = ~std::size_t{0};
  struct Piece {
    std::uint32_t id;
    std::size_t previous, next;
    bool joined = false;  // to the one before it
  };
  struct Candidate {
    const Join* join;
    std::size_t at;  // of the left piece
    bool operator<(const Candidate& other) const {
      return join->rank != other.join->rank ? join->rank > other.join->rank : at > other.at;
    }
  };
  thread_local std::vector<Piece> pieces;
  pieces.clear();
  for (const char c : word) {
    const std::size_t at = pieces.size();
    pieces.push_back({ids_of_bytes_[static_cast<unsigned char>(c)], at - 1, at + 1});
  }
  pieces.back().next = none;
  std::priority_queue<Candidate> candidates;
  const auto offer = [&](std::size_t left) {
    if (left == none || pieces[left].next == none) return;
    const Join* join = join_of(pieces[left].id, pieces[pieces[left].next].id);
    if (join != nullptr) candidates.push({join, left});
  };
  for (std::size_t at = 0; at < pieces.size(); ++at) offer(at);
  while (!candidates.empty()) {
    const auto [join, at] = candidates.top();
    candidates.pop();
    Piece& left = pieces[at];
    // Its pieces may have been joined to others since.
    if (left.joined || left.next == none) continue;
    const Join* const now = join_of(left.id, pieces[left.next].id);
    if (now == nullptr || now->id != join->id) continue;
    Piece& right = pieces[left.next];
    right.joined = true;
    left.id = join->id;
    left.next = right.next;
    if (left.next != none) pieces[left.next].previous = at;
    offer(left.previous);
    offer(at);
  }
  for (std::size_t at = 0; at != none; at = pieces[at].next) ids.push_back(pieces[at].id);
}

}  // namespace actionhist
