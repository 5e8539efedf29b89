// How many texts each kind of model embeds in a second of one core, against what it was built to reach. The models are
// written for the run, of random numbers in the sizes of published ones: speed does not depend on the numbers. For the
// transformer, whose time is nearly all in matrix products, it also says what share of the time these would take at the
// speed of BLAS, and for the fitted model what the fit costs. scripts/bench embedding --peers compares with others.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>

#include <sys/resource.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cblas.h>

#include <actionhist/actionhist.hpp>

#include "embedding/lsa.hpp"
#include "report.hpp"

namespace {

using namespace actionhist;
using benchmark::Report;

constexpr std::size_t vocabulary_size = 30'000;
constexpr std::size_t special_tokens = 3;  // [UNK], [CLS] and [SEP]
// MiniLM-L6
constexpr int layers = 6;
constexpr int width = 384;
constexpr int inner = 1536;
constexpr std::size_t tokens_a_sentence = 32;

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

void write_sentence(const std::filesystem::path& folder) {
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

// Texts of `words` words each, of which few are frequent and most are rare.
std::vector<std::string> texts_of(std::size_t words, std::size_t count = 256) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> share;
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (std::size_t i = 0; i < words; ++i) {
      if (i > 0) text += ' ';
      const double rank = std::pow(share(random), 3) * (vocabulary_size - special_tokens);
      text += word(special_tokens + static_cast<std::size_t>(rank));
    }
  }
  return texts;
}

// Of this process: what others do on the machine does not count.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Texts for each second of the processor's time, in calls of `batch` texts.
double rate(const EmbeddingModel& model, const std::vector<std::string>& texts, std::size_t batch,
            double seconds) {
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::vector<float> out(batch * model.dimension());
  std::size_t done = 0;
  const double begin = processor_seconds();
  for (;;) {
    model.embed(std::span(views).subspan(done % (views.size() - batch + 1), batch), EmbeddingRole::document,
                out);
    done += batch;
    const double took = processor_seconds() - begin;
    if (took >= seconds) return static_cast<double>(done) / took;
  }
}

// Texts a second if the linear layers were all, at the speed of BLAS for as many rows.
double limit_of_blas(std::size_t rows, double seconds) {
  std::vector<float> in(rows * inner), weights(width * inner, 0.01F), out(rows * inner);
  std::size_t done = 0;
  const double begin = processor_seconds();
  double took = 0;
  for (; took < seconds; took = processor_seconds() - begin) {
    const auto multiply = [&](int m, int n, int k) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1, in.data(), k, weights.data(), n, 0,
                  out.data(), n);
    };
    const int m = static_cast<int>(rows);
    for (int layer = 0; layer < layers; ++layer) {
      multiply(m, 3 * width, width);
      multiply(m, width, width);
      multiply(m, inner, width);
      multiply(m, width, inner);
    }
    done += rows / tokens_a_sentence;
  }
  return static_cast<double>(done) / took;
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

class Bench {
 public:
  Bench(double seconds, bool as_json) : seconds_(seconds), report_("embedding", as_json) {}

  void hashed() { measure("hashed-lexical, 129 bytes", *hashed_lexical_model(), 26, 1, 50'000); }

  void fitted(std::size_t documents) {
    LsaFitter fitter;
    for (const std::string& text : texts_of(26, documents)) fitter.add(text);
    const double before = peak_megabytes();
    const double begin = processor_seconds();
    const auto model = fitter.fit(256, 1);
    const std::string name = fmt::format("fit of {} texts", documents);
    report_.add(name, "time", processor_seconds() - begin, "s");
    report_.add(name, "memory", peak_megabytes() - before, "MB");
    measure("fitted, 256 directions, 129 bytes", *model, 26, 1, {});
  }

  void static_model() {
    const Folder folder;
    write_static(folder.path());
    measure("static 256, 28 tokens", *open_model("static:" + folder.path().string()), 28, 32, 100'000);
  }

  void sentence() {
    const Folder folder;
    write_sentence(folder.path());
    const auto model = open_model("sentence:" + folder.path().string());
    for (const auto& [batch, target] : {std::pair{1, 80}, {32, 120}}) {
      const std::string name = fmt::format("sentence 6 x 384, 32 tokens, {} at once", batch);
      const double measured =
          measure(name, *model, tokens_a_sentence - 2, static_cast<std::size_t>(batch), target);
      const double limit = limit_of_blas(static_cast<std::size_t>(batch) * tokens_a_sentence, seconds_);
      report_.add(name, "linear layers", measured, "1/s", limit, measured / limit);
    }
  }

 private:
  double measure(std::string_view name, const EmbeddingModel& model, std::size_t words, std::size_t batch,
                 std::optional<double> target) {
    const std::vector<std::string> texts = texts_of(words);
    rate(model, texts, batch, seconds_ / 10);  // reads the pages
    const double measured = rate(model, texts, batch, seconds_);
    report_.add(name, "texts", measured, "1/s", target,
                target ? std::optional(measured / *target) : std::nullopt);
    return measured;
  }

  double seconds_;
  Report report_;
};

}  // namespace

int main(int argc, char** argv) {
  // One core is what is measured; BLAS reads this when it starts, which is before main().
  if (const char* threads = std::getenv("OPENBLAS_NUM_THREADS");
      threads == nullptr || std::string_view(threads) != "1") {
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  CLI::App app("Texts a second of each kind of model.", "embedding");
  double seconds = 2;
  std::size_t documents = 10'000;
  bool as_json = false;
  app.add_option("--seconds", seconds, "of processor time for each figure");
  app.add_option("--documents", documents, "texts to fit a model on, at least 512");
  app.add_flag("--json", as_json, "one JSON object a line");
  CLI11_PARSE(app, argc, argv);
  try {
    Bench bench(seconds, as_json);
    bench.fitted(documents);  // first, because a peak of memory can only grow
    bench.hashed();
    bench.static_model();
    bench.sentence();
  } catch (const std::exception& error) {
    fmt::print(stderr, "embedding: {}\n", error.what());
    return 1;
  }
}
