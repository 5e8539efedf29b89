// Reads what the library itself stores, the files of an index and a fitted model, after the input has edited it: each
// must be read or throw Error: corrupt, and what was read must be safe to use. Checksums are made to fit, so that
// the edits get past them. Built for libFuzzer with clang and -fsanitize=fuzzer; otherwise driver.cpp mutates the
// seeds.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "core/filter.hpp"
#include "embedding/content_hash.hpp"
#include "embedding/lsa.hpp"
#include "semantic/row_table.hpp"
#include "semantic/search.hpp"
#include "support/samples.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::test;

const IndexOptions options = {.dimension = 8, .m = 4, .sealed_rows = 50};
constexpr std::size_t rows = 120;

std::vector<float> vector_of(std::size_t number) {
  std::mt19937 random(static_cast<unsigned>(number));
  std::normal_distribution<float> normal;
  std::vector<float> out(options.dimension);
  for (float& x : out) x = normal(random);
  return out;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

// What is edited, as it was stored.
struct Stored {
  Stored() {
    std::vector<std::vector<float>> vectors;
    for (std::size_t i = 0; i < rows; ++i) vectors.push_back(vector_of(i));
    SemanticIndex index(options);
    LsaFitter fitter;
    for (std::size_t i = 0; i < rows; ++i) {
      const std::string text = fmt::format("pod number{} restarts {}", i, i % 7);
      const Json fields = Json::parse(fmt::format(R"({{"n":{},"s":"v{}","o":{{"b":true}}}})", i % 5, i % 3));
      const IndexRow row{"r" + std::to_string(i), text, vectors[i], fields};
      index.put({&row, 1});
      fitter.add(text);
    }
    index.remove("r3");
    index.optimize();
    index.save(folder.file("index"), Json::parse(R"({"seq":1})"));
    for (const auto& file : std::filesystem::directory_iterator(folder.file("index"))) {
      const std::string name = file.path().filename().string();
      (name == "manifest" ? manifest : name.starts_with("graph") ? graph : table) = text_of(file.path());
    }
    model = fitter.fit(8, 1)->bytes();
  }

  TempFolder folder;
  std::string manifest, graph, table, model;
};

// Each edit is an offset of four bytes, what is done there, and eight bytes of a value. There are few, because what
// is read first would hide the rest.
void edit(std::string& stored, std::string_view edits) {
  constexpr std::size_t size = 13;
  constexpr std::size_t most = 3;
  edits = edits.substr(0, (edits.size() / size % most + 1) * size);
  for (; edits.size() >= size && !stored.empty(); edits.remove_prefix(size)) {
    std::uint32_t offset = 0;
    std::uint64_t value = 0;
    std::memcpy(&offset, edits.data(), sizeof offset);
    std::memcpy(&value, edits.data() + 5, sizeof value);
    const std::size_t at = offset % stored.size();
    const auto put = [&](std::uint64_t number, std::size_t bytes) {
      std::memcpy(stored.data() + at, &number, std::min(bytes, stored.size() - at));
    };
    switch (static_cast<unsigned char>(edits[4]) % 8) {
      case 0: stored.resize(at); break;
      case 1: put(value, 8); break;
      case 2: put(value % 256, 8); break;
      case 3: put(~std::uint64_t{0}, 8); break;
      case 4: put(value % 256, 4); break;
      default: stored[at] = static_cast<char>(stored[at] ^ static_cast<char>(value | 1));
    }
  }
}

// Arrays are read in place, from a multiple of 64.
class Aligned {
 public:
  explicit Aligned(std::string_view bytes) : memory_(bytes.size() + 64) {
    auto at = reinterpret_cast<std::uintptr_t>(memory_.data());
    begin_ = memory_.data() + (64 - at % 64) % 64;
    std::memcpy(begin_, bytes.data(), bytes.size());
    size_ = bytes.size();
  }
  std::span<const std::byte> bytes() const { return {begin_, size_}; }

 private:
  std::vector<std::byte> memory_;
  std::byte* begin_;
  std::size_t size_;
};

template <class Read>
void expect_value_or_corrupt(Read&& read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::corrupt) std::abort();
  }
}

void use(RowTable& table) {
  const auto vector = vector_of(5);
  IndexQuery query;
  query.text = "pod number7";
  query.vector = vector;
  const Filter all = parse_filter({});
  search(table, query, all, {}, nullptr);
  search(table, query, parse_filter(Json::parse(R"({"n":{"$gte":2},"s":"v1"})")), {}, nullptr);
  query.text.clear();
  search(table, query, all, {}, nullptr);
  const IndexRow row{"r9", "another text", vector, Json::parse(R"({"n":1})")};
  table.put(row);
  if (const auto removed = table.find("r1")) table.remove(*removed);
  table.compacted();
  BinaryWriter out;
  table.write(out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Stored stored;
  const std::string_view edits(reinterpret_cast<const char*>(data), size);
  const Aligned whole_graph(stored.graph);
  const auto read_graph = [](const Aligned& bytes) {
    BinaryReader in(bytes.bytes());
    return Graph::read(in, nullptr);
  };
  switch (size % 4) {
    case 0: {
      std::string text = stored.table;
      edit(text, edits);
      const Aligned bytes(text);
      expect_value_or_corrupt([&] {
        RowTable table(options);
        BinaryReader in(bytes.bytes());
        table.read(in, {}, read_graph(whole_graph));
        use(table);
      });
      break;
    }
    case 1: {
      std::string text = stored.graph;
      edit(text, edits);
      const Aligned bytes(text);
      const Aligned table_bytes(stored.table);
      expect_value_or_corrupt([&] {
        RowTable table(options);
        BinaryReader in(table_bytes.bytes());
        table.read(in, {}, read_graph(bytes));
        use(table);
      });
      break;
    }
    case 2: {
      std::string line = stored.manifest.substr(0, stored.manifest.find('\n'));
      edit(line, edits);
      const ContentHash sum = content_hash(line.data(), line.size());
      std::ofstream(stored.folder.file("index/manifest"), std::ios::binary)
          << line << '\n'
          << fmt::format("{:016x}{:016x}", sum.high, sum.low) << '\n';
      expect_value_or_corrupt([&] { SemanticIndex::open(stored.folder.file("index")).stats(); });
      break;
    }
    default: {
      std::string bytes = stored.model;
      edit(bytes, edits);
      expect_value_or_corrupt([&] {
        const auto model = LsaModel::read(bytes);
        std::vector<float> out(model->dimension());
        const std::string_view text = "pod number7 restarts";
        model->embed({&text, 1}, EmbeddingRole::query, out);
      });
    }
  }
  return 0;
}
