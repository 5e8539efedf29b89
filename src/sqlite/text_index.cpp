#include "sqlite/text_index.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/ascii.hpp"
#include "core/trace_fields.hpp"
#include "sql/trace_columns.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {
namespace {

bool lower(char c) { return c >= 'a' && c <= 'z'; }
// Bytes of other scripts belong to words; FTS5 knows better where those end.
bool word_byte(char c) {
  return is_ascii_upper(c) || lower(c) || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

// The first of the three bytes of U+3040 to U+D7FF.
bool ideographic(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0xe3 && byte <= 0xed;
}

// The bytes of one ideograph, or of two where a second one follows.
std::size_t ideographs_at(std::string_view text, std::size_t at) {
  return at + 6 <= text.size() && ideographic(text[at + 3]) ? 6 : 3;
}

class Words {
 public:
  void add(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      // An escape of JSON text is no letter.
      if (text[at] == '\\') {
        at += 2;
        continue;
      }
      std::size_t end = at;
      while (end < text.size() && word_byte(text[end])) ++end;
      if (end > at) add_word(text.substr(at, end - at));
      at = std::max(end, at + 1);
    }
  }

  std::string take() {
    std::ranges::sort(words_);
    words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
    std::string text;
    for (const std::string& word : words_) {
      if (!text.empty()) text += ' ';
      text += word;
    }
    return text;
  }

 private:
  // Ideographs, kana and Hangul are written without blanks: each is found, and each pair of neighbours.
  void add_ideographs(std::string_view word) {
    for (std::size_t i = 0; i + 3 <= word.size(); i += ideographic(word[i]) ? 3 : 1) {
      if (ideographic(word[i])) words_.emplace_back(word.substr(i, ideographs_at(word, i)));
    }
  }

  // CrashLoopBackOff is found by crash, loop and back too; OOMKilled by oom and killed.
  void add_word(std::string_view word) {
    words_.push_back(ascii_lower(word));
    add_ideographs(word);
    std::size_t begin = 0;
    for (std::size_t i = 1; i < word.size(); ++i) {
      const bool rises = lower(word[i - 1]) && is_ascii_upper(word[i]);
      const bool run_ends =
          is_ascii_upper(word[i - 1]) && is_ascii_upper(word[i]) && i + 1 < word.size() && lower(word[i + 1]);
      if (!rises && !run_ends) continue;
      words_.push_back(ascii_lower(word.substr(begin, i - begin)));
      begin = i;
    }
    if (begin > 0) words_.push_back(ascii_lower(word.substr(begin)));
  }

  std::vector<std::string> words_;
};

// So many texts join the index at once. A search looks through fewer than this one by one.
constexpr std::int64_t texts_at_once = 128;
// Of a word that a tenth of them hold, these are looked through instead of the index.
constexpr std::int64_t texts_looked_through = 5'000;

// Whether the words of a text hold one that begins with the parameter.
std::string holds_word(std::size_t parameter) {
  return fmt::format("(instr(' ' || words, ' ' || ?{}) > 0)", parameter);
}

}  // namespace

std::string searchable_words(const Trace& trace) {
  Words words;
  words.add(trace.alert_name);
  words.add(trace.alert_annotations.text());
  words.add(trace.model_reasoning);
  words.add(trace.action_type);
  words.add(trace.action_parameters.text());
  words.add(trace.resource.kind);
  words.add(trace.resource.name);
  words.add(trace.metadata.text());
  words.add(trace.outcome.execution_error);
  return words.take();
}

TextWriter::TextWriter(Connection& connection, const std::string& tenant)
    : connection_(connection),
      tenant_(tenant),
      insert_(connection, "INSERT INTO action_texts (doc, tenant_id, action_id, words) VALUES (?, ?, ?, ?)") {
  Query head(connection,
             "SELECT indexed, (SELECT ifnull(max(doc), 0) FROM action_texts) FROM action_words_head");
  head.step();
  head.read(indexed_).read(last_);
  // A doc that was indexed and removed must not come again before the index knows.
  last_ = std::max(last_, indexed_);
}

void TextWriter::add(const Trace& trace) {
  const std::string words = searchable_words(trace);
  insert_.reset();
  insert_.bind_all(++last_, tenant_, trace.action_id).bind_text(words).run();
}

void TextWriter::replace(const Trace& trace) {
  std::int64_t doc = 0;
  std::string before;
  {
    Query stored(connection_, "SELECT doc, words FROM action_texts WHERE tenant_id = ? AND action_id = ?");
    if (stored.bind_all(tenant_, trace.action_id).step()) stored.read(doc).read(before);
  }
  const std::string words = searchable_words(trace);
  if (doc > 0 && before == words) return;
  if (doc > indexed_) {
    Query(connection_, "UPDATE action_texts SET words = ? WHERE doc = ?").bind_text(words).bind(doc).run();
    return;
  }
  if (doc > 0) remove_texts(connection_, tenant_, Json::array({trace.action_id}).text());
  add(trace);
  finish();
}

void TextWriter::finish() {
  if (last_ - indexed_ < texts_at_once) return;
  Query(connection_,
        "INSERT INTO action_words (rowid, words) SELECT doc, words FROM action_texts WHERE doc > ?")
      .bind(indexed_)
      .run();
  Query(connection_, "UPDATE action_words_head SET indexed = ?").bind(last_).run();
  indexed_ = last_;
}

void remove_texts(Connection& connection, const std::string& tenant, std::string_view ids) {
  constexpr const char* chosen =
      "FROM action_texts WHERE tenant_id = ? AND action_id IN (SELECT value FROM json_each(?))";
  Query(connection, fmt::format("INSERT INTO action_words (action_words, rowid, words) SELECT 'delete', doc, "
                                "words {} AND doc <= (SELECT indexed FROM action_words_head)",
                                chosen))
      .bind_all(tenant, ids)
      .run();
  Query(connection, fmt::format("DELETE {}", chosen)).bind_all(tenant, ids).run();
}

void add_all_texts(Connection& connection) {
  Query traces(connection, "SELECT tenant_id, " + sql::trace_columns() + " FROM resource_action_traces");
  while (traces.step()) {
    std::string tenant;
    traces.read(tenant);
    const Trace trace = read_trace(traces);
    TextWriter writer(connection, tenant);
    writer.add(trace);
    writer.finish();
  }
}

std::vector<bool> common_words(Connection& connection, std::span<const std::string> words) {
  std::vector<bool> common(words.size());
  std::int64_t last = 0;
  Query newest(connection, "SELECT ifnull(max(doc), 0) FROM action_texts");
  newest.step();
  newest.read(last);
  if (last <= texts_looked_through) return common;
  std::string counts;
  for (std::size_t i = 1; i <= words.size(); ++i) {
    counts += fmt::format("{}ifnull(sum({}), 0)", i > 1 ? ", " : "", holds_word(i));
  }
  Query query(connection, fmt::format("SELECT {} FROM action_texts WHERE doc > ?", counts));
  for (const std::string& word : words) query.bind_text(word);
  query.bind(last - texts_looked_through);
  query.step();
  for (std::size_t i = 0; i < words.size(); ++i) {
    std::int64_t count = 0;
    query.read(count);
    common[i] = count >= texts_looked_through / 10;
  }
  return common;
}

std::string found_texts(const std::vector<bool>& common, int most) {
  std::string each;
  std::string count;
  for (std::size_t i = 1; i <= common.size(); ++i) {
    if (!common[i - 1]) {
      each += fmt::format("SELECT * FROM (SELECT rowid FROM action_words WHERE action_words MATCH ?{}", i);
      if (most > 0) each += fmt::format(" ORDER BY rowid DESC LIMIT {}", most);
      each += ") UNION ";
    }
    count += (i > 1 ? " + " : "") + holds_word(common.size() + i);
  }
  const bool any = std::ranges::find(common, true) != common.end();
  const std::string before =
      any ? fmt::format("min(indexed, (SELECT max(doc) FROM action_texts) - {})", texts_looked_through)
          : "indexed";
  // The index folds more than the words show, so what it found holds at least one.
  return fmt::format(
      "SELECT tenant_id AS of_tenant, action_id AS id, max(1, {0}) AS found FROM action_texts WHERE doc IN "
      "({1}SELECT doc FROM action_texts WHERE doc > (SELECT {2} FROM action_words_head) AND {0} > 0)",
      count, each, before);
}

std::string word_pattern(std::string_view word) {
  std::string pattern = "\"";
  for (const char c : word) {
    if (c == '"') pattern += '"';
    pattern += c;
  }
  return pattern + "\" *";
}

}  // namespace actionhist::sqlite
