#include "embedding/subword_tokenizer.hpp"

#include <algorithm>
#include <set>

namespace actionhist {
namespace {

constexpr std::string_view tokenizer_file = "tokenizer.json";

bool is_ascii_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
}

std::string valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Character character = character_at(text, at);
    append_character(out, character.code);
    at += character.bytes;
  }
  return out;
}

// Of a model in a file that does not say it, as those of old versions.
std::string_view type_by_contents(const ModelJson& model) {
  if (model.member("merges")) return "BPE";
  const auto vocabulary = model.member("vocab");
  return vocabulary && vocabulary->is_array() ? "Unigram" : "WordPiece";
}

}  // namespace

void WordPiece::encode(std::string_view word, std::vector<std::uint32_t>& ids) const {
  const std::size_t first = ids.size();
  bool cut = word.size() <= max_characters || character_count(word) <= max_characters;
  const ByteTrie* pieces = &begins;
  while (cut && !word.empty()) {
    const auto [length, id] = pieces->longest(word);
    cut = length > 0;
    ids.push_back(id);
    word.remove_prefix(length);
    pieces = &continues;
  }
  if (cut) return;
  ids.resize(first);
  ids.push_back(unknown);
}

void Unigram::encode(std::string_view word, std::vector<std::uint32_t>& ids) const {
  struct Node {
    double score = 0;
    std::size_t begin = 0;
    std::uint32_t id = 0;
    bool reached = false;
  };
  thread_local std::vector<Node> best;  // of the ways that end at each byte
  best.assign(word.size() + 1, {});
  for (std::size_t at = 0; at < word.size();) {
    const std::size_t bytes = character_at(word, at).bytes;
    const double so_far = best[at].score;
    bool single = false;
    const auto offer = [&](std::size_t length, std::uint32_t id, double score) {
      Node& node = best[at + length];
      if (!node.reached || so_far + score > node.score) node = {so_far + score, at, id, true};
    };
    pieces.prefixes(word.substr(at), [&](std::size_t length, std::uint32_t id) {
      offer(length, id, scores[id]);
      single = single || length == bytes;
    });
    if (!single) offer(bytes, unknown, unknown_score);
    at += bytes;
  }
  const std::size_t first = ids.size();
  for (std::size_t end = word.size(); end > 0;) {
    std::size_t begin = best[end].begin;
    const std::uint32_t id = best[end].id;
    // Unknown characters side by side are one unknown piece, or the ids of their bytes.
    while (id == unknown && begin > 0 && best[begin].id == unknown) begin = best[begin].begin;
    if (id == unknown && !bytes.empty()) {
      for (std::size_t at = end; at > begin; --at)
        ids.push_back(bytes[static_cast<unsigned char>(word[at - 1])]);
    } else {
      ids.push_back(id);
    }
    end = begin;
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
}

SubwordTokenizer::SubwordTokenizer(std::string_view json) {
  JsonDocument document;
  const ModelJson root(document.parse(json, tokenizer_file), std::string(tokenizer_file));
  normalizer_.emplace(root.optional_object("normalizer"));
  Lengths lengths;
  read_added_tokens(root, lengths);
  const Lengths special = lengths;
  const ModelJson model = root.object("model");
  const std::string_view type = model.get<std::string_view>("type", type_by_contents(model));
  if (type == "WordPiece") {
    read_word_piece(root, lengths);
  } else if (type == "Unigram") {
    read_unigram(root, special, lengths);
  } else if (type == "BPE") {
    for (const auto& [token, id] : model.get<simdjson::dom::object>("vocab"))
      see(read_token_id(id, model.place("vocab")), token, lengths);
    model_.emplace<BytePairs>(model, root.object("pre_tokenizer"));
  } else {
    refuse(model.place("type"),
           fmt::format("\"{}\" is not offered; only WordPiece, Unigram and BPE are", type));
  }
  read_post_processor(root);
  std::vector<std::size_t> sorted;
  for (const auto& [id, length] : lengths) sorted.push_back(length);
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  median_length_ = sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

void SubwordTokenizer::see(std::uint32_t id, std::string_view token, Lengths& lengths) {
  size_ = std::max(size_, std::size_t{id} + 1);
  lengths.insert_or_assign(id, character_count(token));
}

// Special tokens never come from a text; others would be cut out of it before anything else.
void SubwordTokenizer::read_added_tokens(const ModelJson& root, Lengths& lengths) {
  if (!root.member("added_tokens")) return;
  for (const JsonElement item : root.get<simdjson::dom::array>("added_tokens")) {
    const ModelJson token(item, root.place("added_tokens"));
    const auto content = token.get<std::string_view>("content");
    if (!token.get("special", false)) {
      refuse(root.place("added_tokens"),
             fmt::format("\"{}\" is not special; only special ones are offered", content));
    }
    const auto id = token.member("id");
    if (!id) refuse(token.place("id"), "is missing");
    see(read_token_id(*id, token.place("id")), content, lengths);
  }
}

void SubwordTokenizer::read_word_piece(const ModelJson& root, Lengths& lengths) {
  const ModelJson json = root.object("model");
  const auto pre_tokenizer = root.object("pre_tokenizer").get<std::string_view>("type");
  if (pre_tokenizer != "BertPreTokenizer") {
    refuse(root.place("pre_tokenizer"), fmt::format("\"{}\" is not offered with WordPiece", pre_tokenizer));
  }
  WordPiece& model = model_.emplace<WordPiece>();
  const auto prefix = json.get<std::string_view>("continuing_subword_prefix", "##");
  const auto longest = json.get<std::int64_t>("max_input_chars_per_word", 100);
  if (longest < 1) refuse(json.place("max_input_chars_per_word"), "must be at least 1");
  model.max_characters = static_cast<std::size_t>(longest);
  for (const auto& [token, value] : json.get<simdjson::dom::object>("vocab")) {
    const std::uint32_t id = read_token_id(value, json.place("vocab"));
    see(id, token, lengths);
    model.begins.insert(token, id);
    if (token.starts_with(prefix)) model.continues.insert(token.substr(prefix.size()), id);
  }
  const auto unknown = json.get<std::string_view>("unk_token", "[UNK]");
  const auto id = model.begins.find(unknown);
  if (!id) refuse(json.place("unk_token"), fmt::format("\"{}\" is not in the vocabulary", unknown));
  model.unknown = *id;
}

void SubwordTokenizer::read_metaspace(const ModelJson& pre_tokenizer) {
  const auto type = pre_tokenizer.get<std::string_view>("type");
  if (type == "Sequence" && !metaspace_.each_word) {
    const auto steps = pre_tokenizer.get<simdjson::dom::array>("pretokenizers");
    const auto step = [&](std::size_t i) {
      return ModelJson(steps.at(i).value(), pre_tokenizer.place("pretokenizers"));
    };
    if (steps.size() != 2 || step(0).get<std::string_view>("type") != "WhitespaceSplit") {
      refuse(pre_tokenizer.place(), "only WhitespaceSplit and Metaspace are offered together");
    }
    metaspace_.each_word = true;
    read_metaspace(step(1));
    return;
  }
  if (type != "Metaspace") {
    refuse(pre_tokenizer.place(), fmt::format("\"{}\" is not offered with Unigram", type));
  }
  metaspace_.replacement = pre_tokenizer.get<std::string_view>("replacement", "▁");
  if (metaspace_.replacement.empty()) refuse(pre_tokenizer.place("replacement"), "is empty");
  const bool prefixed = pre_tokenizer.get("add_prefix_space", true);
  const auto scheme = pre_tokenizer.get<std::string_view>("prepend_scheme", prefixed ? "always" : "never");
  if (metaspace_.each_word && scheme == "first") {
    refuse(pre_tokenizer.place("prepend_scheme"), "\"first\" is not offered after WhitespaceSplit");
  }
  metaspace_.prepend = scheme != "never";
  metaspace_.split = pre_tokenizer.get("split", true);
}

// Special tokens are no pieces of a text: their score of 0 would make their names the best cut.
void SubwordTokenizer::read_unigram(const ModelJson& root, const Lengths& special, Lengths& lengths) {
  const ModelJson json = root.object("model");
  read_metaspace(root.object("pre_tokenizer"));
  Unigram& model = model_.emplace<Unigram>();
  double least = 0;
  bool first = true;
  for (const JsonElement item : json.get<simdjson::dom::array>("vocab")) {
    simdjson::dom::array pair;
    std::string_view token;
    double score = 0;
    if (item.get(pair) != simdjson::SUCCESS || pair.size() != 2 ||
        pair.at(0).get(token) != simdjson::SUCCESS || pair.at(1).get(score) != simdjson::SUCCESS) {
      refuse(json.place("vocab"), "holds what is no pair of a piece and its score");
    }
    const auto id = static_cast<std::uint32_t>(model.scores.size());
    see(id, token, lengths);
    if (!special.contains(id)) model.pieces.insert(token, id);
    model.scores.push_back(score);
    least = first ? score : std::min(least, score);
    first = false;
  }
  constexpr double unknown_penalty = 10;  // as SentencePiece has it
  model.unknown_score = least - unknown_penalty;
  const auto unknown = json.get<std::int64_t>("unk_id");
  if (unknown < 0 || static_cast<std::size_t>(unknown) >= model.scores.size()) {
    refuse(json.place("unk_id"), "is no id of the vocabulary");
  }
  model.unknown = static_cast<std::uint32_t>(unknown);
  if (!json.get("byte_fallback", false)) return;
  for (int byte = 0; byte < 256; ++byte) {
    const auto id = model.pieces.find(fmt::format("<0x{:02X}>", byte));
    if (!id) refuse(json.place("byte_fallback"), "is set, but the vocabulary does not have all bytes");
    model.bytes.push_back(*id);
  }
}

void SubwordTokenizer::read_post_processor(const ModelJson& root) {
  const auto json = root.optional_object("post_processor");
  if (!json) return;
  const auto type = json->get<std::string_view>("type");
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    const auto read = [&](std::string_view key) {
      const auto pair = json->get<simdjson::dom::array>(key);
      JsonElement id;
      if (pair.at(1).get(id) != simdjson::SUCCESS) refuse(json->place(key), "has no id");
      return read_token_id(id, json->place(key));
    };
    before_ = {read("cls")};
    after_ = {read("sep")};
  } else if (type == "TemplateProcessing") {
    const ModelJson tokens = json->object("special_tokens");
    auto* side = &before_;
    for (const JsonElement item : json->get<simdjson::dom::array>("single")) {
      const ModelJson part(item, json->place("single"));
      if (part.member("Sequence")) {
        side = &after_;
        continue;
      }
      const ModelJson token = tokens.object(part.object("SpecialToken").get<std::string_view>("id"));
      for (const JsonElement id : token.get<simdjson::dom::array>("ids"))
        side->push_back(read_token_id(id, token.place()));
    }
  } else {
    refuse(json->place("type"), fmt::format("\"{}\" is not offered", type));
  }
  for (const auto* side : {&before_, &after_}) {
    for (const std::uint32_t id : *side) {
      if (id >= size_) refuse(json->place(), fmt::format("has the id {} beyond the vocabulary", id));
    }
  }
}

std::optional<std::uint32_t> SubwordTokenizer::unknown() const {
  if (const auto* pieces = std::get_if<WordPiece>(&model_)) return pieces->unknown;
  if (const auto* unigram = std::get_if<Unigram>(&model_)) return unigram->unknown;
  return std::nullopt;
}

void SubwordTokenizer::encode(std::string_view text, std::size_t limit,
                              std::vector<std::uint32_t>& ids) const {
  const std::size_t first = ids.size();
  thread_local std::string normalized;
  if (simdjson::validate_utf8(text.data(), text.size())) {
    normalized = text;
  } else {
    normalized = valid_utf8(text);
  }
  normalizer_->apply(normalized);
  if (std::holds_alternative<WordPiece>(model_)) {
    encode_bert_words(normalized, first + limit, ids);
  } else if (const auto* pairs = std::get_if<BytePairs>(&model_)) {
    pairs->encode(normalized, limit, ids);
  } else {
    encode_metaspace(normalized, first + limit, ids);
  }
  if (ids.size() - first > limit) ids.resize(first + limit);
}

void SubwordTokenizer::encode_bert_words(std::string_view text, std::size_t limit,
                                         std::vector<std::uint32_t>& ids) const {
  const WordPiece& model = std::get<WordPiece>(model_);
  std::size_t begin = 0;  // of the word being read
  std::size_t at = 0;
  while (at < text.size() && ids.size() < limit) {
    if (is_ascii_word(text[at])) {
      ++at;
      continue;
    }
    const Character character = character_at(text, at);
    const bool punctuation = is_punctuation(character.code);
    if (!punctuation && !is_white_space(character.code)) {
      at += character.bytes;
      continue;
    }
    if (at > begin) model.encode(text.substr(begin, at - begin), ids);
    if (punctuation) model.encode(text.substr(at, character.bytes), ids);
    at += character.bytes;
    begin = at;
  }
  if (at > begin && ids.size() < limit) model.encode(text.substr(begin, at - begin), ids);
}

void SubwordTokenizer::encode_metaspace(std::string_view text, std::size_t limit,
                                        std::vector<std::uint32_t>& ids) const {
  if (!metaspace_.each_word) {
    encode_metaspace_word(text, limit, ids);
    return;
  }
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size() && ids.size() < limit;) {
    const Character character = character_at(text, at);
    if (is_white_space(character.code)) {
      encode_metaspace_word(text.substr(begin, at - begin), limit, ids);
      begin = at + character.bytes;
    }
    at += character.bytes;
  }
  if (ids.size() < limit) encode_metaspace_word(text.substr(begin), limit, ids);
}

void SubwordTokenizer::encode_metaspace_word(std::string_view text, std::size_t limit,
                                             std::vector<std::uint32_t>& ids) const {
  if (text.empty()) return;
  const Unigram& model = std::get<Unigram>(model_);
  const std::string& mark = metaspace_.replacement;
  thread_local std::string marked;
  marked.clear();
  for (const char c : text) c == ' ' ? marked += mark : marked += c;
  if (metaspace_.prepend && !marked.starts_with(mark)) marked.insert(0, mark);
  const std::string_view all = marked;
  for (std::size_t begin = 0; begin < all.size() && ids.size() < limit;) {
    std::size_t end = all.size();
    if (metaspace_.split) {
      const std::size_t next =
          all.find(mark, begin + (all.substr(begin).starts_with(mark) ? mark.size() : 1));
      if (next != all.npos) end = next;
    }
    model.encode(all.substr(begin, end - begin), ids);
    begin = end;
  }
}

}  // namespace actionhist
