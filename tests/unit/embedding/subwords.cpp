#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <actionhist/error.hpp>

#include "embedding/character_map.hpp"
#include "embedding/subword_tokenizer.hpp"
#include "support/byte_level.hpp"
#include "support/samples.hpp"

// The Python tests compare these with the reference implementations; these need none.
using namespace actionhist;
using namespace actionhist::test;

namespace {

using Ids = std::vector<std::uint32_t>;

Ids encode(std::string_view text, std::size_t limit = 1000) {
  static const SubwordTokenizer tokenizer(byte_level_json());
  Ids ids;
  tokenizer.encode(text, limit, ids);
  return ids;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
  return text.replace(text.find(what), what.size(), by);
}

// "!" becomes "?".
std::string exclamation_table() {
  std::string table;
  for (const std::uint32_t number : {16U, 0x8000U, 0x921U, 0U, 0x80000000U}) {
    for (int byte = 0; byte < 4; ++byte) table += static_cast<char>(number >> (8 * byte));
  }
  return table + std::string("?\0", 2);
}

}  // namespace

TEST_CASE("pairs of bytes are joined in the vocabulary's order, within words only", "[subwords]") {
  CHECK(encode("pod pods") == Ids{257, 258, 's'});
  CHECK(encode("pop") == Ids{256, 'p'});
  CHECK(encode("po'll") == Ids{256, '\'', 'l', 'l'});
  CHECK(encode("p  po") == Ids{'p', ' ', ' ', 256});
  CHECK(encode("po\n\npo d") == Ids{256, '\n', '\n', 256, ' ', 'd'});
  CHECK(encode("pö") == Ids{'p', 0xc3, 0xb6});
  CHECK(encode("p\xff") == Ids{'p', 0xef, 0xbf, 0xbd});
  CHECK(encode("pod pod pod", 2) == Ids{257, 258});
  CHECK(encode("").empty());
}

TEST_CASE("a word of any length takes time in its length", "[subwords]") {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "po";
  CHECK(encode(text, 1'000'000) == Ids(200'000, 256));
}

TEST_CASE("what byte-level pairs do not offer is named", "[subwords]") {
  for (const auto& [what, by, message] : std::vector<std::array<std::string, 3>>{
           {R"("\u0021":33,)", "", "model.vocab: \"!\" is not in the vocabulary"},
           {R"(["p","o"])", R"(["p"])", "merges: holds what is no pair"},
           {R"(["p","o"])", R"("po")", "merges: holds what is no pair"},
           {R"(["p","o"])", "1", "merges: holds what is no pair"},
           {R"(["p","o"])", R"(["p","x"])", "\"px\" is not in the vocabulary"},
           {"ByteLevel", "Whitespace", "\"Whitespace\" is not offered with BPE"},
           {R"("type":"BPE")", R"("type":"BPE","dropout":0.1)", "dropout: must be 0"},
           {R"("type":"BPE")", R"("type":"BPE","end_of_word_suffix":"</w>")", "end_of_word_suffix"},
           {R"("type":"BPE")", R"("type":"BPE","ignore_merges":true)", "ignore_merges"},
           {R"("add_prefix_space":false)", R"("use_regex":false)", "use_regex"}}) {
    CHECK_THAT(error_text_of([&] { SubwordTokenizer tokenizer(replaced(byte_level_json(), what, by)); }),
               Catch::Contains(message));
  }
}

TEST_CASE("characters are replaced as the table says", "[subwords]") {
  const auto map = CharacterMap::read(exclamation_table());
  REQUIRE(map);
  for (const auto& [text, expected] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"a!b", "a?b"},
                                                        {"!!", "??"},
                                                        {"!\u0301", "?"},
                                                        {"!\u0301\u0301\u0301", "?\u0301\u0301\u0301"}}) {
    std::string out = text;
    map->apply(out);
    CHECK(out == expected);
  }
}

TEST_CASE("a table of characters that is cut or damaged is refused or replaces nothing", "[subwords]") {
  const std::string whole = exclamation_table();
  for (std::size_t size = 0; size < 20; ++size) CHECK_FALSE(CharacterMap::read(whole.substr(0, size)));
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ 1 << bit);
      if (const auto map = CharacterMap::read(damaged)) {
        std::string text = "pods! 高負荷";
        map->apply(text);
        CHECK(text.size() >= 14);
      }
    }
  }
}
