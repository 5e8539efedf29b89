// How many texts a second each kind of model embeds on one core, against what it was built to reach. The models are
// written for the run, of random numbers in the sizes of published ones: speed does not depend on the numbers.
// Usage: embedding [--seconds N] [--json]
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include <unistd.h>

#include <actionhist/actionhist.hpp>

#include "report.hpp"

namespace {

using namespace actionhist;
using benchmark::Report;

constexpr std::size_t vocabulary_size = 30'000;
constexpr std::size_t special_tokens = 3;  // [UNK], [CLS] and [SEP]

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "actionhist-bench-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary).write(text.data(), static_cast<std::streamsize>(text.size()));
}

// Four letters a word, so that each is one token.
std::string word(std::size_t i) {
  std::string out;
  for (int letter = 0; letter < 4; ++letter, i /= 26) out += static_cast<char>('a' + i % 26);
  return out;
}

std::string tokenizer_json() {
  std::string vocabulary = R"("[UNK]":0,"[CLS]":1,"[SEP]":2)";
  for (std::size_t id = special_tokens; id < vocabulary_size; ++id) {
    vocabulary += fmt::format(R"(,"{}":{})", word(id), id);
  }
  return fmt::format(
      R"({{"normalizer":{{"type":"BertNormalizer"}},"pre_tokenizer":{{"type":"BertPreTokenizer"}},)"
      R"("post_processor":{{"type":"BertProcessing","cls":["[CLS]",1],"sep":["[SEP]",2]}},)"
      R"("model":{{"type":"WordPiece","unk_token":"[UNK]","vocab":{{{}}}}}}})",
      vocabulary);
}

class TensorFile {
 public:
  void add(const std::string& name, std::size_t rows, std::size_t columns, float mean = 0) {
    const std::size_t count = std::max<std::size_t>(rows, 1) * columns;
    if (!header_.empty()) header_ += ',';
    const std::string shape = rows == 0 ? fmt::format("{}", columns) : fmt::format("{},{}", rows, columns);
    header_ += fmt::format(R"("{}":{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})", name, shape,
                           data_.size(), data_.size() + count * sizeof(float));
    std::normal_distribution<float> numbers(mean, 0.05F);
    for (std::size_t i = 0; i < count; ++i) {
      const float number = numbers(random_);
      data_.append(reinterpret_cast<const char*>(&number), sizeof number);
    }
  }

  void save(const std::filesystem::path& path) const {
    std::string header = '{' + header_ + '}';
    header.resize((header.size() + 7) / 8 * 8, ' ');
    const std::uint64_t size = header.size();
    write(path, std::string(reinterpret_cast<const char*>(&size), sizeof size) + header + data_);
  }

 private:
  std::mt19937 random_{1};
  std::string header_;
  std::string data_;
};

// potion-base-8M: 256 numbers a token.
void write_static(const std::filesystem::path& folder) {
  write(folder / "tokenizer.json", tokenizer_json());
  write(folder / "config.json", R"({"normalize":true})");
  TensorFile tensors;
  tensors.add("embeddings", vocabulary_size, 256);
  tensors.save(folder / "model.safetensors");
}

// MiniLM-L6: six layers of 384 numbers a token.
void write_sentence(const std::filesystem::path& folder) {
  constexpr std::size_t width = 384;
  constexpr std::size_t inner = 1536;
  constexpr int layers = 6;
  write(folder / "tokenizer.json", tokenizer_json());
  write(
      folder / "config.json",
      fmt::format(R"({{"model_type":"bert","hidden_size":{},"num_attention_heads":12,"num_hidden_layers":{},)"
                  R"("intermediate_size":{}}})",
                  width, layers, inner));
  TensorFile tensors;
  const auto norm = [&](const std::string& name) {
    tensors.add(name + ".weight", 0, width, 1);
    tensors.add(name + ".bias", 0, width);
  };
  const auto linear = [&](const std::string& name, std::size_t outputs, std::size_t inputs) {
    tensors.add(name + ".weight", outputs, inputs);
    tensors.add(name + ".bias", 0, outputs);
  };
  tensors.add("embeddings.word_embeddings.weight", vocabulary_size, width);
  tensors.add("embeddings.position_embeddings.weight", 512, width);
  tensors.add("embeddings.token_type_embeddings.weight", 2, width);
  norm("embeddings.LayerNorm");
  for (int i = 0; i < layers; ++i) {
    const std::string at = fmt::format("encoder.layer.{}.", i);
    for (const char* part : {"query", "key", "value"}) linear(at + "attention.self." + part, width, width);
    linear(at + "attention.output.dense", width, width);
    norm(at + "attention.output.LayerNorm");
    linear(at + "intermediate.dense", inner, width);
    linear(at + "output.dense", width, inner);
    norm(at + "output.LayerNorm");
  }
  tensors.save(folder / "model.safetensors");
}

std::vector<std::string> texts_of(std::size_t words) {
  std::mt19937 random(7);
  std::vector<std::string> texts(256);
  for (std::string& text : texts) {
    for (std::size_t i = 0; i < words; ++i) {
      if (i > 0) text += ' ';
      text += word(special_tokens + random() % (vocabulary_size - special_tokens));
    }
  }
  return texts;
}

// Texts a second, in calls of `batch` texts.
double rate(const EmbeddingModel& model, const std::vector<std::string>& texts, std::size_t batch,
            double seconds) {
  using SteadyClock = std::chrono::steady_clock;
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<float> out(batch * model.dimension());
  std::size_t done = 0;
  const auto begin = SteadyClock::now();
  for (;;) {
    model.embed(std::span(views).subspan(done % (views.size() - batch + 1), batch), EmbeddingRole::document,
                out);
    done += batch;
    const double took = std::chrono::duration<double>(SteadyClock::now() - begin).count();
    if (took >= seconds) return static_cast<double>(done) / took;
  }
}

void run(double seconds, bool as_json) {
  Report report("embedding", as_json);
  const auto measure = [&](std::string_view name, const EmbeddingModel& model, std::size_t words,
                           std::size_t batch, double target) {
    const std::vector<std::string> texts = texts_of(words);
    rate(model, texts, batch, seconds / 10);  // reads the pages
    const double measured = rate(model, texts, batch, seconds);
    report.add(name, "texts", measured, "1/s", target, measured / target);
  };
  measure("hashed-lexical, 128 bytes", *hashed_lexical_model(), 26, 1, 50'000);
  const Folder folder;
  write_static(folder.path());
  measure("static 256, 28 tokens", *open_model("static:" + folder.path().string()), 28, 32, 100'000);
  const Folder other;
  write_sentence(other.path());
  const auto sentence = open_model("sentence:" + other.path().string());
  measure("sentence 6 x 384, 32 tokens, single", *sentence, 30, 1, 80);
  measure("sentence 6 x 384, 32 tokens, batches of 32", *sentence, 30, 32, 120);
}

}  // namespace

int main(int argc, char** argv) {
  // One core is what is measured; BLAS reads this when it starts, which is before main().
  if (const char* threads = std::getenv("OPENBLAS_NUM_THREADS");
      threads == nullptr || std::string_view(threads) != "1") {
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  double seconds = 2;
  bool as_json = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--json") {
      as_json = true;
    } else if (argument == "--seconds" && i + 1 < argc) {
      const std::string_view text = argv[++i];
      std::from_chars(text.data(), text.data() + text.size(), seconds);
    } else {
      std::cerr << "usage: embedding [--seconds N] [--json]\n";
      return 2;
    }
  }
  try {
    run(seconds, as_json);
  } catch (const std::exception& error) {
    std::cerr << "embedding: " << error.what() << '\n';
    return 1;
  }
}
