#include <actionhist/semantic_index.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <actionhist/embedding.hpp>
#include <actionhist/error.hpp>

#include "support/vectors.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

using Strings = std::vector<std::string>;

std::vector<float> embed(std::string_view text) {
  std::vector<float> out(1024);
  hashed_lexical_model()->embed({&text, 1}, EmbeddingRole::document, out);
  return out;
}

void put(SemanticIndex& index, std::string id, std::string text, std::vector<float> vector,
         Json fields = {}) {
  const IndexRow row{std::move(id), std::move(text), vector, std::move(fields)};
  index.put({&row, 1});
}

IndexQuery near(std::span<const float> vector, int limit, std::string_view where = {}) {
  IndexQuery query;
  query.vector = vector;
  query.limit = limit;
  if (!where.empty()) query.where = Json::parse(where);
  return query;
}

}  // namespace

TEST_CASE("an empty index finds nothing", "[semantic_index]") {
  SemanticIndex index;
  IndexQuery query;
  query.text = "pod";
  CHECK(index.search(query).empty());
  const auto vector = embed("pod");
  query.vector = vector;
  CHECK(index.search(query).empty());
  CHECK_FALSE(index.remove("x"));
  CHECK_FALSE(index.set_fields("x", Json::object({})));
  CHECK_FALSE(index.set_vector("x", vector));
  CHECK(index.stats().rows == 0);
}

TEST_CASE("a search finds what reads alike and says why", "[semantic_index]") {
  SemanticIndex index;
  for (const auto& text :
       {"scale up deployment checkout, memory is short", "restart pod payments, it crash loops",
        "clean up disk of node worker-3", "rotate certificate of ingress"}) {
    put(index, std::string("about ") + text, text, embed(text));
  }
  IndexQuery query;
  query.text = "Payments pods are CrashLooping";
  const auto vector = embed(query.text);
  query.vector = vector;
  query.limit = 2;
  const auto hits = index.search(query);
  REQUIRE(hits.size() == 2);
  CHECK(hits[0].id == "about restart pod payments, it crash loops");
  CHECK(hits[0].score == 1);
  CHECK(hits[0].similarity > 0.4);
  CHECK(hits[0].bm25 > 0);
  CHECK(Strings(hits[0].matched_terms) == Strings{"Payments", "pods", "Crash", "Looping"});
  CHECK(hits[1].score < 0.5);
}

TEST_CASE("words alone find rows, vectors alone too, and unknown words do not spoil a vector",
          "[semantic_index]") {
  SemanticIndex index({.dimension = 2});
  put(index, "a", "disk full", {1, 0});
  put(index, "b", "pod evicted", {0, 1});
  put(index, "c", "no vector yet", {});
  IndexQuery words;
  words.text = "evicted";
  CHECK(ids(index.search(words)) == Strings{"b"});
  CHECK(index.search(words)[0].score == 1);
  const std::vector<float> east{1, 0};
  CHECK(ids(index.search(near(east, 10))) == Strings{"a", "b", "c"});
  auto both = near(east, 1);
  both.text = "xylophone";
  CHECK(ids(index.search(both)) == Strings{"a"});
  CHECK(index.search(both)[0].score == 1);
  const std::vector<float> nowhere{0, 0};
  auto only_words = near(nowhere, 1);
  only_words.text = "evicted";
  CHECK(ids(index.search(only_words)) == Strings{"b"});
  CHECK(index.search(near(nowhere, 3)).size() == 3);
}

TEST_CASE("weight moves the order between words and vectors", "[semantic_index]") {
  SemanticIndex index({.dimension = 2});
  put(index, "by words", "disk full", {0, 1});
  put(index, "by vector", "pod evicted", {1, 0});
  const std::vector<float> east{1, 0};
  auto query = near(east, 2);
  query.text = "disk";
  query.vector_weight = 0.9;
  CHECK(ids(index.search(query))[0] == "by vector");
  query.vector_weight = 0.1;
  CHECK(ids(index.search(query))[0] == "by words");
  query.vector_weight = 0.5;
  CHECK(ids(index.search(query)) == Strings{"by vector", "by words"});
  query.threshold = 0.6;
  CHECK(index.search(query).empty());
  query.threshold = 0.5;
  CHECK(index.search(query).size() == 2);
}

TEST_CASE("equal scores are ordered by id, whatever the order of arrival", "[semantic_index]") {
  SemanticIndex index({.dimension = 2});
  for (int i = 999; i >= 100; --i) put(index, std::to_string(i), "pod restarts", {1, 1});
  const std::vector<float> query_vector{1, 1};
  auto query = near(query_vector, 3);
  query.text = "pod";
  CHECK(ids(index.search(query)) == Strings{"100", "101", "102"});
  query.exclude_id = "101";
  CHECK(ids(index.search(query)) == Strings{"100", "102", "103"});
}

TEST_CASE("what is invalid is refused and nothing of it is kept", "[semantic_index]") {
  SemanticIndex index({.dimension = 2});
  put(index, "a", "disk full", {1, 0});
  const std::vector<float> good{0, 1}, wide{0, 1, 0}, nan{0, std::numeric_limits<float>::quiet_NaN()},
      infinite{std::numeric_limits<float>::infinity(), 0};
  for (const auto& bad : {wide, nan, infinite}) {
    const std::vector<IndexRow> rows = {{"b", "new row", good, {}}, {"c", "bad row", bad, {}}};
    CHECK_THROWS_AS(index.put(rows), Error);
    CHECK_THROWS_AS(index.set_vector("a", bad), Error);
    CHECK_THROWS_AS(index.search(near(bad, 1)), Error);
  }
  const std::vector<IndexRow> list = {{"b", "new row", good, {}}, {"c", "x", good, Json::array({1})}};
  CHECK_THROWS_AS(index.put(list), Error);
  CHECK_THROWS_AS(index.set_fields("a", Json(5)), Error);
  CHECK_THROWS_AS(index.search(near(good, 0)), Error);
  CHECK_THROWS_AS(index.search(near(good, 10'001)), Error);
  auto weighted = near(good, 1);
  weighted.vector_weight = std::nan("");
  CHECK_THROWS_AS(index.search(weighted), Error);
  CHECK_THROWS_AS(index.search(near(good, 1, R"({"a": {"$regex": "x"}})")), Error);
  CHECK_THROWS_AS(SemanticIndex({.dimension = 0}), Error);
  CHECK(index.stats().rows == 1);
  CHECK(index.search(near(good, 10))[0].similarity == 0);
}

TEST_CASE("an update replaces text, vector and fields", "[semantic_index]") {
  SemanticIndex index({.dimension = 2});
  put(index, "a", "disk full", {1, 0}, Json::object({{"status", "pending"}}));
  put(index, "a", "pod evicted", {0, 1}, Json::object({{"status", "failed"}}));
  IndexQuery query;
  query.text = "disk";
  CHECK(index.search(query).empty());
  query.text = "evicted";
  CHECK(ids(index.search(query)) == Strings{"a"});
  query.where = Json::object({{"status", "failed"}});
  CHECK(ids(index.search(query)) == Strings{"a"});
  query.where = Json::object({{"status", "pending"}});
  CHECK(index.search(query).empty());
  const std::vector<float> north{0, 1};
  CHECK(index.search(near(north, 5)).size() == 1);
  CHECK(index.search(near(north, 5))[0].similarity == 1);
  CHECK(index.stats().rows == 1);
  CHECK(index.stats().vectors == 1);
  put(index, "a", "pod evicted", {});
  CHECK(index.stats().vectors == 0);
}

TEST_CASE("fields and vectors may come later", "[semantic_index]") {
  SemanticIndex index({.dimension = 2});
  put(index, "a", "disk full", {});
  put(index, "b", "pod evicted", {1, 0});
  CHECK(index.set_vector("a", std::vector<float>{0, 2}));
  const std::vector<float> north{0, 1};
  CHECK(ids(index.search(near(north, 1))) == Strings{"a"});
  CHECK(index.set_fields("a", Json::object({{"ok", true}})));
  CHECK(ids(index.search(near(north, 5, R"({"ok": true})"))) == Strings{"a"});
  CHECK(index.stats().deleted == 0);
}

TEST_CASE("removed rows are found by nobody", "[semantic_index]") {
  SemanticIndex index({.dimension = 2});
  put(index, "a", "disk full", {1, 0});
  put(index, "b", "disk full", {1, 0});
  CHECK(index.remove("a"));
  CHECK_FALSE(index.remove("a"));
  IndexQuery query;
  query.text = "disk";
  CHECK(ids(index.search(query)) == Strings{"b"});
  put(index, "a", "disk full", {1, 0});
  CHECK(ids(index.search(query)) == Strings{"a", "b"});
  index.clear();
  CHECK(index.search(query).empty());
  CHECK(index.stats().rows == 0);
}

TEST_CASE("a vector is found by itself in every precision and metric", "[semantic_index]") {
  const Metric metric = GENERATE(Metric::cosine, Metric::inner_product, Metric::l2);
  const Precision precision = GENERATE(Precision::full, Precision::half, Precision::byte);
  SemanticIndex index({.dimension = 32, .metric = metric, .precision = precision});
  std::vector<std::vector<float>> vectors;
  for (std::size_t i = 0; i < 100; ++i) {
    vectors.push_back(random_vector(i, 32));
    put(index, std::to_string(i), "", vectors.back());
  }
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const auto hits = index.search(near(vectors[i], 1));
    REQUIRE(hits.size() == 1);
    CHECK(std::isfinite(hits[0].similarity));
    CHECK(std::isfinite(hits[0].score));
    if (metric == Metric::l2) CHECK(hits[0].similarity == Approx(0).margin(0.01));
  }
}

TEST_CASE("what a half cannot hold is refused where vectors are kept as halves", "[semantic_index]") {
  SemanticIndex index({.dimension = 2, .metric = Metric::l2, .precision = Precision::half});
  const std::vector<float> large{70'000, 0};
  CHECK_THROWS_WITH(put(index, "a", "", large),
                    "vector of \"a\": holds a value above 65504, which the precision half cannot keep");
  SemanticIndex cosine({.dimension = 2, .precision = Precision::half});
  CHECK_NOTHROW(put(cosine, "a", "", large));
}

TEST_CASE("the metric says what similarity is", "[semantic_index]") {
  const std::vector<float> query{2, 0};
  SemanticIndex inner({.dimension = 2, .metric = Metric::inner_product});
  put(inner, "short", "", {1, 0});
  put(inner, "long", "", {5, 1});
  CHECK(ids(inner.search(near(query, 2))) == Strings{"long", "short"});
  CHECK(inner.search(near(query, 2))[0].similarity == 10);
  SemanticIndex distance({.dimension = 2, .metric = Metric::l2});
  put(distance, "close", "", {2, 1});
  put(distance, "far", "", {5, 4});
  put(distance, "nowhere", "", {});
  CHECK(ids(distance.search(near(query, 3))) == Strings{"close", "far", "nowhere"});
  CHECK(distance.search(near(query, 1))[0].similarity == -1);
  CHECK(distance.search(near(query, 2))[1].similarity == Approx(-5));
}
