#include "embedding/lsa.hpp"

#include <cmath>
#include <random>

#include <catch2/catch.hpp>

#include <actionhist/error.hpp>

#include "embedding/subspace.hpp"

using namespace actionhist;

namespace {

double cosine(const EmbeddingModel& model, std::string_view a, std::string_view b) {
  std::vector<float> out(2 * model.dimension());
  const std::string_view texts[] = {a, b};
  model.embed(texts, EmbeddingRole::document, out);
  double sum = 0;
  for (std::size_t i = 0; i < model.dimension(); ++i)
    sum += static_cast<double>(out[i]) * out[i + model.dimension()];
  return sum;
}

LsaFitter fitter_of_two_topics() {
  // "oomkilled" never stands beside "heap", but both stand beside "memory".
  const char* memory[] = {
      "oomkilled container memory limit", "oomkilled pod memory",  "heap memory exhausted",
      "heap grows until memory ends",     "memory limit exceeded", "raise the memory limit"};
  const char* disk[] = {"volume full no space",    "disk volume full",     "inode table of the disk full",
                        "no space left on device", "disk pressure evicts", "volume resize needs space"};
  LsaFitter fitter;
  for (int round = 0; round < 3; ++round) {
    for (const char* text : memory) fitter.add(text);
    for (const char* text : disk) fitter.add(text);
  }
  return fitter;
}

}  // namespace

TEST_CASE("words that stand in for each other come close together", "[lsa]") {
  const auto model = fitter_of_two_topics().fit(2, 1);
  CHECK(model->dimension() == 2);
  CHECK(cosine(*model, "oomkilled", "heap") > 0.5);
  CHECK(cosine(*model, "oomkilled", "disk") < 0.3);
  CHECK(cosine(*model, "disk pressure", "no space left") > 0.5);
  CHECK(std::abs(cosine(*hashed_lexical_model(), "oomkilled", "heap")) < 0.3);
}

TEST_CASE("a fitted model is named by what it holds and survives its file", "[lsa]") {
  const LsaFitter fitter = fitter_of_two_topics();
  const auto model = fitter.fit(4, 1);
  CHECK(model->space_id().starts_with("lsa/4/"));
  CHECK(fitter.fit(4, 1)->bytes() == model->bytes());
  CHECK(fitter.fit(5, 1)->space_id() != model->space_id());
  const auto read = LsaModel::read(model->bytes());
  CHECK(read->space_id() == model->space_id());
  CHECK(read->dimension() == 4);
  CHECK(cosine(*read, "oomkilled", "heap") == cosine(*model, "oomkilled", "heap"));
}

TEST_CASE("texts without a word that was seen give zeros", "[lsa]") {
  const auto model = fitter_of_two_topics().fit(4, 1);
  std::vector<float> out(4, 7.0F);
  const std::string_view texts[] = {""};
  model->embed(texts, EmbeddingRole::query, out);
  CHECK(out == std::vector<float>(4, 0.0F));
}

TEST_CASE("too few texts cannot be fitted, and no more directions than half of them", "[lsa]") {
  LsaFitter fitter;
  for (int i = 0; i < 7; ++i) fitter.add("text number " + std::string(static_cast<std::size_t>(i + 1), 'x'));
  fitter.add("");
  CHECK(fitter.documents() == 7);
  CHECK_THROWS_AS(fitter.fit(4, 1), Error);
  fitter.add("one more");
  CHECK(fitter.fit(256, 1)->dimension() == 4);
}

TEST_CASE("a damaged model is refused, wherever it is cut or changed", "[lsa]") {
  const std::string bytes = fitter_of_two_topics().fit(4, 1)->bytes();
  for (std::size_t length = 0; length < bytes.size(); length += 1 + length / 7) {
    CHECK_THROWS_AS(LsaModel::read(std::string_view(bytes).substr(0, length)), Error);
  }
  CHECK_THROWS_AS(LsaModel::read(bytes + "x"), Error);
  const std::string id = LsaModel::read(bytes)->space_id();
  for (std::size_t at = 0; at < bytes.size(); at += 97) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    std::string changed_id;
    try {
      changed_id = LsaModel::read(changed)->space_id();
    } catch (const Error& error) {
      CHECK(error.code() == ErrorCode::corrupt);
    }
    CHECK(changed_id != id);
  }
}

TEST_CASE("the leading directions are those of the singular value decomposition", "[lsa]") {
  // A matrix of three known directions with singular values 9, 5 and 2, and a little noise.
  constexpr std::size_t rows = 40, columns = 20;
  const double values[] = {9, 5, 2};
  const auto left = [](std::size_t k, std::size_t i) {
    return std::sqrt(2.0 / rows) *
           std::cos(3.14159265358979 * static_cast<double>(k + 1) * (static_cast<double>(i) + 0.5) / rows);
  };
  const auto right = [](std::size_t k, std::size_t j) {
    return std::sqrt(2.0 / columns) *
           std::cos(3.14159265358979 * static_cast<double>(k + 2) * (static_cast<double>(j) + 0.5) / columns);
  };
  SparseMatrix matrix;
  matrix.columns = columns;
  std::mt19937 random(3);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j) {
      double x = 1e-4 * (static_cast<double>(random() % 1000) / 500 - 1);
      for (std::size_t k = 0; k < 3; ++k) x += values[k] * left(k, i) * right(k, j);
      matrix.entries.push_back({static_cast<std::uint32_t>(j), static_cast<float>(x)});
    }
    matrix.ends.push_back(matrix.entries.size());
  }
  const std::vector<float> directions = leading_directions(matrix, 3, 7);
  REQUIRE(directions.size() == columns * 3);
  for (std::size_t k = 0; k < 3; ++k) {
    double along = 0;
    for (std::size_t j = 0; j < columns; ++j) along += directions[j * 3 + k] * right(k, j);
    CHECK(std::abs(along) == Approx(1).margin(1e-3));
  }
  CHECK(leading_directions(matrix, 3, 8).size() == columns * 3);
}
