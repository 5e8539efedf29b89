// Vectors that consist of parts, which queries weigh.
#include <actionhist/semantic_index.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <actionhist/error.hpp>

#include "support/samples.hpp"
#include "support/vectors.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

using Strings = std::vector<std::string>;
using Weights = std::vector<double>;

IndexQuery near(std::span<const float> vector, Weights weights, int limit = 10) {
  IndexQuery query;
  query.vector = vector;
  query.weights = std::move(weights);
  query.limit = limit;
  return query;
}

void put(SemanticIndex& index, std::string id, const std::vector<float>& vector, Json fields = {}) {
  const IndexRow row{std::move(id), "", vector, std::move(fields)};
  index.put({&row, 1});
}

// Rows of a part of 2 and one of 3 dimensions, none of length 1.
SemanticIndex small_index() {
  SemanticIndex index({.dimension = 5, .parts = {2, 3}});
  put(index, "first alike", {3, 0, /**/ 0, 2, 0}, Json::object({{"side", "a"}}));
  put(index, "second alike", {0, 5, /**/ 7, 0, 0}, Json::object({{"side", "b"}}));
  put(index, "half alike", {1, 1, /**/ 1, 0, 1}, Json::object({{"side", "a"}}));
  put(index, "no second", {-1, 0, /**/ 0, 0, 0}, Json::object({{"side", "b"}}));
  return index;
}

const std::vector<float> asked{2, 0, /**/ 4, 0, 0};
const double half = std::sqrt(0.5);

// Vectors of three parts, each around one of some centres of its own.
class Clustered {
 public:
  static constexpr std::size_t part = 32;
  static constexpr std::size_t dimension = 3 * part;

  std::vector<float> vector() {
    std::vector<float> out;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto& centre = centres_[i][random_() % centres_[i].size()];
      for (const float x : centre) out.push_back(x + 0.6F * normal_(random_));
    }
    return out;
  }

  Clustered() {
    for (auto& centres : centres_) {
      centres.assign(30, std::vector<float>(part));
      for (auto& centre : centres) {
        for (float& x : centre) x = normal_(random_);
      }
    }
  }

 private:
  std::mt19937 random_{23};
  std::normal_distribution<float> normal_;
  std::array<std::vector<std::vector<float>>, 3> centres_;
};

double cosine(std::span<const float> a, std::span<const float> b) {
  double product = 0, of_a = 0, of_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    of_a += static_cast<double>(a[i]) * a[i];
    of_b += static_cast<double>(b[i]) * b[i];
  }
  return product / std::sqrt(of_a * of_b);
}

}  // namespace

TEST_CASE("the similarity is the mean of the parts' cosines by weight", "[parts]") {
  const SemanticIndex index = small_index();
  const auto similarity = [&](const std::string& id, const Weights& weights) {
    for (const IndexHit& hit : index.search(near(asked, weights))) {
      if (hit.id == id) return hit.similarity;
    }
    return std::nan("");
  };
  for (const Weights& weights : {Weights{}, Weights{1, 1}, Weights{4, 4}}) {
    CHECK(similarity("first alike", weights) == Approx(0.5));
    CHECK(similarity("half alike", weights) == Approx(half));
    CHECK(similarity("no second", weights) == Approx(-0.5));
  }
  CHECK(similarity("first alike", {3, 1}) == Approx(0.75));
  CHECK(similarity("second alike", {3, 1}) == Approx(0.25));
  CHECK(similarity("no second", {0, 2}) == Approx(0).margin(1e-6));
  CHECK(ids(index.search(near(asked, {3, 1}, 2))) == Strings{"first alike", "half alike"});
  CHECK(ids(index.search(near(asked, {1, 3}, 2))) == Strings{"second alike", "half alike"});
  CHECK(ids(index.search(near(asked, {0, 1}, 2))) == Strings{"second alike", "half alike"});
  const auto hits = index.search(near(asked, {1, 3}, 1));
  REQUIRE(hits[0].parts.size() == 2);
  CHECK(hits[0].parts[0] == Approx(0).margin(1e-6));
  CHECK(hits[0].parts[1] == Approx(1));
}

TEST_CASE("a part without a direction counts for nothing in a query, and as unlike in a row", "[parts]") {
  const SemanticIndex index = small_index();
  const std::vector<float> first_only{2, 0, 0, 0, 0};
  const auto hits = index.search(near(first_only, {1, 5}, 2));
  CHECK(ids(hits) == Strings{"first alike", "half alike"});
  CHECK(hits[0].similarity == Approx(1));
  // Nothing is left that could be compared.
  for (const IndexHit& hit : index.search(near(first_only, {0, 1}))) CHECK(hit.score == 0);
}

TEST_CASE("filters, percentile, distinct and marginal relevance go by the parts too", "[parts]") {
  SemanticIndex index = small_index();
  auto query = near(asked, {1, 3}, 2);
  query.where = Json::object({{"side", "a"}});
  CHECK(ids(index.search(query)) == Strings{"half alike", "first alike"});

  CHECK(index.similarity_at(100, Weights{1, 0}) == Approx(half));
  CHECK(index.similarity_at(100, Weights{0, 1}) == Approx(half));
  CHECK(index.similarity_at(0, Weights{1, 0}) == Approx(-1));
  CHECK(index.similarity_at(0, Weights{0, 1}) == Approx(0).margin(1e-6));
  query = near(asked, {0, 1}, 10);
  query.percentile = 90;
  CHECK(ids(index.search(query)) == Strings{"second alike", "half alike"});

  put(index, "second again", {0, 2, /**/ 3, 0, 0});
  query = near(asked, {1, 3}, 2);
  query.distinct = 1;
  CHECK(ids(index.search(query)) == Strings{"second again", "half alike"});
  query.distinct.reset();
  CHECK(ids(index.search(query)) == Strings{"second again", "second alike"});
  query.mmr_lambda = 0.5;
  CHECK(ids(index.search(query))[0] == "second again");
  CHECK(ids(index.search(query))[1] != "second alike");
}

TEST_CASE("an index keeps its parts in files, and one without reads as before", "[parts]") {
  TempFolder folder;
  SemanticIndex index = small_index();
  index.save(folder.file("parts"));
  const SemanticIndex opened = SemanticIndex::open(folder.file("parts"));
  for (const Weights& weights : {Weights{}, Weights{3, 1}, Weights{0, 1}}) {
    const auto before = index.search(near(asked, weights));
    const auto after = opened.search(near(asked, weights));
    REQUIRE(ids(after) == ids(before));
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(after[i].similarity == before[i].similarity);
  }
  SemanticIndex whole({.dimension = 5});
  put(whole, "a", asked);
  whole.save(folder.file("whole"));
  const auto hits = SemanticIndex::open(folder.file("whole")).search(near(asked, {}));
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].similarity == Approx(1));
  CHECK(hits[0].parts.empty());
}

TEST_CASE("a row's vector is as it is kept", "[parts]") {
  SemanticIndex index = small_index();
  CHECK(index.vector("second alike") == std::vector<float>{0, 1, /**/ 1, 0, 0});
  CHECK(index.vector("no second") == std::vector<float>{-1, 0, /**/ 0, 0, 0});
  put(index, "none", {});
  CHECK_FALSE(index.vector("none"));
  CHECK_FALSE(index.vector("nobody"));
}

TEST_CASE("parts and weights that mean nothing are refused by name", "[parts]") {
  const auto refused = [](const IndexOptions& options) {
    return error_text_of([&] { SemanticIndex index(options); });
  };
  CHECK_THAT(refused({.dimension = 5, .parts = {2, 2}}), Catch::StartsWith("parts: "));
  CHECK_THAT(refused({.dimension = 5, .parts = {5, 0}}), Catch::StartsWith("parts: "));
  CHECK_THAT(refused({.dimension = 5, .metric = Metric::l2, .parts = {2, 3}}), Catch::StartsWith("parts: "));

  const SemanticIndex index = small_index();
  const double nan = std::numeric_limits<double>::quiet_NaN(), large = std::numeric_limits<double>::max();
  const double infinite = std::numeric_limits<double>::infinity();
  for (const Weights& weights : {Weights{1}, Weights{1, 1, 1}, Weights{-1, 2}, Weights{0, 0}, Weights{nan, 1},
                                 Weights{1, infinite}, Weights{large, large}}) {
    CAPTURE(weights);
    CHECK_THAT(error_text_of([&] { index.search(near(asked, weights)); }), Catch::StartsWith("weights: "));
    CHECK_THAT(error_text_of([&] { index.similarity_at(50, weights); }), Catch::StartsWith("weights: "));
  }
  SemanticIndex whole({.dimension = 5});
  CHECK_THAT(error_text_of([&] { whole.search(near(asked, {1, 1})); }), Catch::StartsWith("weights: "));
}

TEST_CASE("many rows are found by any weights", "[parts]") {
  constexpr std::size_t rows = 12'000;
  Clustered clustered;
  SemanticIndex index({.dimension = Clustered::dimension, .parts = {32, 32, 32}});
  std::vector<std::vector<float>> vectors;
  std::vector<IndexRow> put;
  for (std::size_t i = 0; i < rows; ++i) vectors.push_back(clustered.vector());
  for (std::size_t i = 0; i < rows; ++i) put.push_back({std::to_string(i), "", vectors[i], {}});
  index.put(put);
  index.optimize();
  for (const Weights& weights :
       {Weights{1, 1, 1}, Weights{3, 2, 1}, Weights{8, 1, 1}, Weights{1, 0, 1}, Weights{0, 0, 1}}) {
    CAPTURE(weights);
    std::size_t found = 0;
    for (int i = 0; i < 20; ++i) {
      const std::vector<float> query = clustered.vector();
      std::vector<std::pair<double, std::string>> all;
      for (std::size_t row = 0; row < rows; ++row) {
        double sum = 0;
        for (std::size_t k = 0; k < 3; ++k) {
          const auto of = [&](const std::vector<float>& v) { return std::span(v).subspan(k * 32, 32); };
          if (weights[k] > 0) sum -= weights[k] * cosine(of(query), of(vectors[row]));
        }
        all.emplace_back(sum, std::to_string(row));
      }
      std::partial_sort(all.begin(), all.begin() + 10, all.end());
      for (const IndexHit& hit : index.search(near(query, weights))) {
        for (std::size_t k = 0; k < 10; ++k) found += all[k].second == hit.id;
      }
    }
    CHECK(found >= 180);
  }
  CHECK(index.explain(near(vectors[0], {3, 2, 1})).route == "walk");
  CHECK(index.explain(near(vectors[0], {2, 1, 0})).route == "code scan");
}
