#include <actionhist/embedding.hpp>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "embedding/safetensors.hpp"
#include "embedding/subword_tokenizer.hpp"
#include "support/samples.hpp"

// The Python tests compare static models with the reference implementations; these need none.
using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr std::string_view tokenizer_json = R"({
  "normalizer": {"type": "BertNormalizer", "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]"}}, {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "[SEP]"}}],
    "special_tokens": {"[CLS]": {"ids": [1]}, "[SEP]": {"ids": [2]}}},
  "added_tokens": [{"id": 0, "content": "[UNK]", "special": true}],
  "model": {"type": "WordPiece", "unk_token": "[UNK]",
    "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "pod": 3, "##s": 4, "crash": 5, "-": 6, "cafe": 7}}})";

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

std::string safetensors(const std::string& header, std::span<const float> floats) {
  std::string file(8, '\0');
  const std::uint64_t size = header.size();
  std::memcpy(file.data(), &size, sizeof size);
  file += header;
  file.append(reinterpret_cast<const char*>(floats.data()), floats.size_bytes());
  return file;
}

void write(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

std::vector<std::uint32_t> encode(std::string_view text, std::size_t limit = 100) {
  static const SubwordTokenizer tokenizer(tokenizer_json);
  std::vector<std::uint32_t> ids;
  tokenizer.encode(text, limit, ids);
  return ids;
}

}  // namespace

TEST_CASE("words are cut into the longest known pieces", "[static_model]") {
  using Ids = std::vector<std::uint32_t>;
  CHECK(encode("Pods crash-Pod") == Ids{3, 4, 5, 6, 3});
  CHECK(encode("podx café") == Ids{0, 7});
  CHECK(encode("[CLS]pod") == Ids{0, 0, 0, 3});
  CHECK(encode("pod \xff\xfe crash") == Ids{3, 5});
  CHECK(encode("pod pod pod", 2) == Ids{3, 3});
  CHECK(encode("").empty());
  const SubwordTokenizer tokenizer(tokenizer_json);
  CHECK(tokenizer.before()[0] == 1);
  CHECK(tokenizer.after()[0] == 2);
}

TEST_CASE("a text's vector is the mean of its tokens' vectors", "[static_model]") {
  const TempFolder folder;
  std::vector<float> rows(16);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i);
  write(folder.file("tokenizer.json"), tokenizer_json);
  write(folder.file("model.safetensors"),
        safetensors(R"({"embeddings":{"dtype":"F32","shape":[8,2],"data_offsets":[0,64]}})", rows));
  const auto model = open_model("static:" + folder.path().string());
  REQUIRE(model->dimension() == 2);
  const std::vector<std::string_view> texts{"pods", "unknown words", ""};
  std::vector<float> out(6, 9.0F);
  model->embed(texts, EmbeddingRole::document, out);
  CHECK(out == std::vector<float>{7, 8, 0, 0, 0, 0});  // of (6, 7) and (8, 9)
}

TEST_CASE("a safetensors file that does not fit its header is refused", "[static_model]") {
  const std::vector<float> floats(4);
  for (const auto& [header, message] : std::vector<std::pair<std::string, std::string>>{
           {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,20]}})", "cut"},
           {R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}})", "its shape needs 12"},
           {R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}})", "begin and end"},
           {R"({"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}})", "no length"},
           {R"({"a":{"dtype":"F32","shape":[9223372036854775807,9],"data_offsets":[0,16]}})", "too large"},
           {R"({"a":{"dtype":"Q4","shape":[4],"data_offsets":[0,16]}})", "Q4"},
           {R"({"a":{"dtype":"F32","shape":[4]}})", "data_offsets: is missing"},
           {R"([])", "no object"},
           {R"({"a)", "not valid JSON"}}) {
    CHECK_THAT(error_text_of([&] { Safetensors tensors(bytes_of(safetensors(header, floats))); }),
               Catch::Contains(message));
  }
}
