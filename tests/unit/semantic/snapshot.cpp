// The index in files: saved, opened and damaged.
#include <actionhist/semantic_index.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include <actionhist/error.hpp>

#include "support/samples.hpp"
#include "support/vectors.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

constexpr std::size_t dimension = 32;

void put(SemanticIndex& index, std::size_t begin, std::size_t end) {
  std::vector<std::vector<float>> vectors;
  std::vector<IndexRow> rows;
  for (std::size_t i = begin; i < end; ++i) vectors.push_back(random_vector(i, dimension));
  for (std::size_t i = begin; i < end; ++i) {
    IndexRow row{"r" + std::to_string(i), "pod number" + std::to_string(i), vectors[i - begin],
                 Json::object({{"bucket", static_cast<int>(i % 10)}, {"name", "n" + std::to_string(i)}})};
    row.version = i + 1;
    rows.push_back(row);
  }
  index.put(rows);
}

// What a search for each of some rows answers, to be compared.
std::vector<std::string> answers(const SemanticIndex& index, std::size_t rows) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows; i += rows / 20 + 1) {
    const auto vector = random_vector(i, dimension);
    IndexQuery query;
    query.vector = vector;
    query.text = "number" + std::to_string(i);
    query.where = Json::object({{"bucket", static_cast<int>(i % 10)}});
    query.limit = 5;
    for (const IndexHit& hit : index.search(query)) out.push_back(hit.id + " " + std::to_string(hit.score));
  }
  return out;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

// Opens the folder and has all of it read.
std::string trouble(const std::string& folder) {
  try {
    const SemanticIndex index = SemanticIndex::open(folder);
    // The vectors in full are read in the background.
    for (int i = 0; i < 2000 && index.damage().empty() && !index.stats().verified; ++i)
      std::this_thread::sleep_for(5ms);
    return index.damage();
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::corrupt);
    return error.what();
  }
}

}  // namespace

TEST_CASE("an index that was saved answers as before when it is opened", "[snapshot]") {
  const std::size_t rows = GENERATE(0, 7, 1500, 9000);
  const Precision precision = GENERATE(Precision::full, Precision::half, Precision::byte);
  TempFolder folder;
  SemanticIndex index({.dimension = dimension, .precision = precision, .sealed_rows = 1000});
  put(index, 0, rows);
  for (std::size_t i = 0; i < rows; i += 7) index.remove("r" + std::to_string(i));
  index.set_fields("r8", Json::object({{"bucket", 3}, {"labels", Json::object({{"team", "db"}})}}));
  if (rows > 1000) index.optimize();
  const auto before = answers(index, rows);
  index.save(folder.file("index"), Json::object({{"seq", 17}}));
  CHECK(answers(index, rows) == before);

  SemanticIndex opened = SemanticIndex::open(folder.file("index"));
  CHECK(opened.note().text() == R"({"seq":17})");
  CHECK(answers(opened, rows) == before);
  CHECK(opened.stats().rows == index.stats().rows);
  CHECK(opened.stats().linked == index.stats().linked);
  CHECK(opened.version("r5") == (rows > 5 ? std::optional<std::uint64_t>(6) : std::nullopt));
  CHECK_FALSE(opened.version("r7"));

  // It goes on from there, and what is saved again is opened again.
  put(opened, rows, rows + 1500);
  opened.remove("r1");
  opened.optimize();
  opened.save(folder.file("index"));
  const SemanticIndex again = SemanticIndex::open(folder.file("index"));
  CHECK(again.note().absent());
  CHECK(answers(again, rows + 1500) == answers(opened, rows + 1500));
  CHECK(again.stats().linked == opened.stats().linked);
}

TEST_CASE("a folder without an index is not found, and one that cannot be written is unavailable",
          "[snapshot]") {
  TempFolder folder;
  CHECK(error_code_of([&] { SemanticIndex::open(folder.file("none")); }) == ErrorCode::not_found);
  std::ofstream(folder.file("file")) << "x";
  SemanticIndex index({.dimension = dimension});
  CHECK(error_code_of([&] { index.save(folder.file("file/index")); }) == ErrorCode::unavailable);
  CHECK(error_code_of([&] { index.save(folder.file("index"), Json(5)); }) == ErrorCode::invalid_argument);
}

TEST_CASE("files that no snapshot names any more go away, and full chunks are written once", "[snapshot]") {
  TempFolder folder;
  const std::string path = folder.file("index");
  SemanticIndex index({.dimension = dimension, .sealed_rows = 1000});
  put(index, 0, 5000);
  index.optimize();
  index.save(path);
  const auto first = files_in(path);
  const auto chunk = std::ranges::find_if(
      first, [](const auto& file) { return file.filename().string().starts_with("vectors-"); });
  REQUIRE(chunk != first.end());
  const auto written = std::filesystem::last_write_time(*chunk);
  put(index, 5000, 9000);
  index.optimize();
  index.save(path);
  CHECK(std::filesystem::last_write_time(*chunk) == written);
  CHECK(files_in(path).size() == 5);  // manifest, table, graph, two chunks
  index.clear();
  put(index, 0, 10);
  index.save(path);
  CHECK(files_in(path).size() == 2);
}

TEST_CASE("a flipped byte and a truncated file are found, whichever file and place", "[snapshot]") {
  TempFolder folder;
  const std::string path = folder.file("index");
  {
    SemanticIndex index({.dimension = dimension, .sealed_rows = 1000});
    put(index, 0, 5000);
    index.optimize();
    index.save(path);
  }
  REQUIRE(trouble(path).empty());
  std::mt19937 random(5);
  for (const auto& file : files_in(path)) {
    const auto size = std::filesystem::file_size(file);
    std::string content(size, '\0');
    std::ifstream(file, std::ios::binary).read(content.data(), static_cast<std::streamsize>(size));
    const auto write = [&](const std::string& bytes) {
      std::ofstream(file, std::ios::binary | std::ios::trunc)
          .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    };
    CAPTURE(file.filename().string());
    for (int i = 0; i < 8; ++i) {
      // The first and the last byte too.
      const std::size_t at = i == 0 ? 0 : i == 1 ? size - 1 : random() % size;
      std::string flipped = content;
      flipped[at] = static_cast<char>(flipped[at] ^ 1 << random() % 8);
      write(flipped);
      CAPTURE(at);
      CHECK_FALSE(trouble(path).empty());
    }
    for (const std::size_t kept : {std::size_t{0}, size / 2, size - 1}) {
      write(content.substr(0, kept));
      CHECK_FALSE(trouble(path).empty());
    }
    std::filesystem::remove(file);
    if (file.filename() != "manifest") CHECK_FALSE(trouble(path).empty());
    write(content);
  }
  CHECK(trouble(path).empty());
}

TEST_CASE("two indexes opened from the same files and continued apart do not mix in them", "[snapshot]") {
  TempFolder folder;
  const std::string path = folder.file("index");
  {
    SemanticIndex index({.dimension = dimension, .sealed_rows = 1000});
    put(index, 0, 4000);
    index.optimize();
    index.save(path);
  }
  SemanticIndex one = SemanticIndex::open(path);
  SemanticIndex other = SemanticIndex::open(path);
  // Both fill the chunk that they read in part, and link as many vectors, but others.
  put(one, 4000, 4500);
  one.optimize();
  put(other, 5000, 5500);
  other.optimize();
  const auto before = answers(other, 4000);
  std::vector<std::optional<std::vector<float>>> vectors;
  for (std::size_t i = 5000; i < 5500; ++i) vectors.push_back(other.vector("r" + std::to_string(i)));
  one.save(path);
  other.save(path);
  const SemanticIndex opened = SemanticIndex::open(path);
  CHECK(answers(opened, 4000) == before);
  for (std::size_t i = 5000; i < 5500; ++i)
    REQUIRE(opened.vector("r" + std::to_string(i)) == vectors[i - 5000]);
}

TEST_CASE("damage of files says nothing about an index that was cleared", "[snapshot]") {
  TempFolder folder;
  const std::string path = folder.file("index");
  constexpr std::size_t wide = 512;  // so that reading takes longer than clearing
  {
    SemanticIndex index({.dimension = wide, .sealed_rows = 100'000});
    for (std::size_t i = 0; i < 4096; ++i) {
      const auto vector = random_vector(i, wide);
      const IndexRow row{"r" + std::to_string(i), "", vector};
      index.put({&row, 1});
    }
    index.save(path);
  }
  for (const auto& file : files_in(path)) {
    if (!file.filename().string().starts_with("vectors-")) continue;
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(-1, std::ios::end);
    bytes.put('x');
  }
  for (int round = 0; round < 5; ++round) {
    SemanticIndex index = SemanticIndex::open(path);
    std::this_thread::sleep_for(std::chrono::milliseconds(round));
    index.clear();
    CHECK(index.stats().verified);
    std::this_thread::sleep_for(50ms);
    CHECK(index.damage().empty());
  }
}
