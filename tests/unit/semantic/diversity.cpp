// What leaves hits out of a search, or puts them into another order, by how much vectors are alike.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include <actionhist/error.hpp>
#include <actionhist/semantic_index.hpp>

#include "support/vectors.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

using Strings = std::vector<std::string>;
using Vector = std::vector<float>;

void put(SemanticIndex& index, std::string id, const Vector& vector, std::string text = {}) {
  const IndexRow row{std::move(id), std::move(text), vector, {}};
  index.put({&row, 1});
}

Vector at_degrees(double degrees) {
  const double angle = degrees * std::acos(-1.0) / 180;
  return {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
}

Vector random_vector(std::mt19937& random, std::size_t dimension) {
  std::normal_distribution<float> normal;
  Vector vector(dimension);
  for (float& x : vector) x = normal(random);
  return vector;
}

IndexQuery near(const Vector& vector, int limit) {
  IndexQuery query;
  query.vector = vector;
  query.limit = limit;
  return query;
}

double cosine(const Vector& a, const Vector& b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ab += static_cast<double>(a[i]) * static_cast<double>(b[i]);
    aa += static_cast<double>(a[i]) * static_cast<double>(a[i]);
    bb += static_cast<double>(b[i]) * static_cast<double>(b[i]);
  }
  return ab / std::sqrt(aa * bb);
}

ErrorCode refused(const SemanticIndex& index, const IndexQuery& query) {
  try {
    index.search(query);
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

}  // namespace

TEST_CASE("the percentiles are those of the similarities of all pairs", "[diversity]") {
  SemanticIndex index({.dimension = 16});
  CHECK(index.similarity_at(50) == -std::numeric_limits<double>::infinity());
  std::mt19937 random(7);
  std::vector<Vector> vectors;
  for (int i = 0; i < 200; ++i) {
    vectors.push_back(random_vector(random, 16));
    put(index, std::to_string(i), vectors.back());
    // What is repeated counts once.
    put(index, std::to_string(i) + " again", vectors.back());
  }
  std::vector<double> pairs;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) pairs.push_back(cosine(vectors[i], vectors[j]));
  }
  std::ranges::sort(pairs);
  for (const int percentile : {0, 1, 50, 90, 99, 100}) {
    const auto place = static_cast<std::size_t>(percentile / 100.0 * static_cast<double>(pairs.size() - 1));
    CAPTURE(percentile);
    CHECK(index.similarity_at(percentile) == Approx(pairs[place]).margin(2e-3));
  }
  CHECK_THROWS_AS(index.similarity_at(100.5), Error);
  CHECK_THROWS_AS(index.similarity_at(std::nan("")), Error);
  index.clear();
  CHECK(index.similarity_at(50) == -std::numeric_limits<double>::infinity());
}

TEST_CASE("a percentile means the same in a space whose similarities are all high", "[diversity]") {
  // The same vectors, once as they are and once all shifted into one direction.
  std::mt19937 random(11);
  SemanticIndex plain({.dimension = 64}), shifted({.dimension = 64});
  Vector asked;
  Vector asked_shifted;
  for (int i = 0; i < 2000; ++i) {
    Vector vector = random_vector(random, 64);
    if (i == 0) asked = vector;
    put(plain, std::to_string(i), vector);
    for (float& x : vector) x += 4;
    if (i == 0) asked_shifted = vector;
    put(shifted, std::to_string(i), vector);
  }
  CHECK(plain.similarity_at(50) < .1);
  CHECK(shifted.similarity_at(1) > .8);
  for (const double percentile : {90., 99.}) {
    IndexQuery query = near(asked, 2000);
    query.percentile = percentile;
    const auto few = plain.search(query).size();
    query.vector = asked_shifted;
    const auto as_few = shifted.search(query).size();
    // About as many of 2,000 as the percentile leaves.
    const double expected = 2000 * (100 - percentile) / 100;
    CHECK(static_cast<double>(few) == Approx(expected).epsilon(.75));
    CHECK(static_cast<double>(as_few) == Approx(expected).epsilon(.75));
    for (const IndexHit& hit : shifted.search(query))
      CHECK(hit.similarity >= shifted.similarity_at(percentile));
  }
}

TEST_CASE("a percentile leaves out what words alone find, and needs a vector", "[diversity]") {
  SemanticIndex index({.dimension = 2});
  put(index, "east", at_degrees(0), "pod");
  put(index, "near", at_degrees(10), "pod");
  put(index, "north", at_degrees(90), "disk full");
  put(index, "none", {}, "disk full");
  const Vector east = at_degrees(0);
  IndexQuery query = near(east, 10);
  query.text = "disk";
  CHECK(index.search(query).size() == 4);
  query.percentile = 90;
  CHECK(ids(index.search(query)) == Strings{"east", "near"});
  query.vector = {};
  CHECK(refused(index, query) == ErrorCode::invalid_argument);
}

TEST_CASE("of rows that are alike only the best is a hit, and as many hits come as there are",
          "[diversity]") {
  SemanticIndex index({.dimension = 2});
  for (int i = 0; i < 3000; ++i) put(index, "same " + std::to_string(i), at_degrees(0));
  put(index, "hardly another", at_degrees(1));
  put(index, "b", at_degrees(30));
  put(index, "c", at_degrees(60));
  const Vector east = at_degrees(0);
  IndexQuery query = near(east, 3);
  CHECK(ids(index.search(query)) == Strings{"same 0", "same 1", "same 10"});
  query.distinct = 1;
  CHECK(ids(index.search(query)) == Strings{"same 0", "hardly another", "b"});
  query.distinct = .99;
  CHECK(ids(index.search(query)) == Strings{"same 0", "b", "c"});
  query.limit = 10;
  CHECK(ids(index.search(query)) == Strings{"same 0", "b", "c"});
  query.exclude_id = "same 7";
  CHECK(ids(index.search(query)) == Strings{"b", "c"});
  query.threshold = .6;
  CHECK(ids(index.search(query)) == Strings{"b"});
}

TEST_CASE("maximal marginal relevance is what its formula says", "[diversity]") {
  const double lambda = GENERATE(0., .3, .7, 1.);
  CAPTURE(lambda);
  std::mt19937 random(3);
  std::vector<Vector> vectors;
  SemanticIndex index({.dimension = 3});
  for (int i = 0; i < 40; ++i) {
    vectors.push_back(random_vector(random, 3));
    put(index, std::to_string(i), vectors.back());
  }
  const Vector asked = random_vector(random, 3);
  const auto score = [](double cosine) { return std::clamp(cosine, 0.0, 1.0); };
  // All 40 are in the pool of a search for 5; of equals the one with the better score comes first.
  const Strings by_score = ids(index.search(near(asked, 40)));
  const auto vector_of = [&](const std::string& id) { return vectors[std::stoul(id)]; };
  Strings expected;
  while (expected.size() < 5) {
    double best = -2;
    std::string next;
    for (const std::string& id : by_score) {
      if (std::ranges::find(expected, id) != expected.end()) continue;
      double nearest = 0;
      for (const std::string& taken : expected)
        nearest = std::max(nearest, score(cosine(vector_of(id), vector_of(taken))));
      const double relevance = lambda * score(cosine(vector_of(id), asked)) - (1 - lambda) * nearest;
      if (relevance <= best) continue;
      best = relevance;
      next = id;
    }
    expected.push_back(next);
  }
  IndexQuery query = near(asked, 5);
  query.mmr_lambda = lambda;
  const auto hits = index.search(query);
  CHECK(ids(hits) == expected);
  if (lambda == 1) CHECK(expected == Strings(by_score.begin(), by_score.begin() + 5));
  for (const IndexHit& hit : hits) {
    CHECK(hit.score == Approx(score(cosine(vector_of(hit.id), asked))).margin(1e-5));
  }
}

TEST_CASE("marginal relevance and distinct rows go together, also with words", "[diversity]") {
  SemanticIndex index({.dimension = 2});
  for (int i = 0; i < 30; ++i) put(index, "pod " + std::to_string(i), at_degrees(0), "pod restarts");
  put(index, "disk", at_degrees(80), "pod without disk");
  put(index, "words", {}, "pod");
  const Vector east = at_degrees(0);
  IndexQuery query = near(east, 3);
  query.text = "pod restarts";
  query.mmr_lambda = .5;
  query.distinct = 1;
  const auto hits = index.search(query);
  REQUIRE(hits.size() == 3);
  CHECK(hits[0].id == "pod 0");
  const Strings found = ids(hits);
  CHECK(std::set<std::string>(found.begin(), found.end()) == std::set<std::string>{"pod 0", "disk", "words"});
}

TEST_CASE("likeness that is out of range is refused", "[diversity]") {
  SemanticIndex index({.dimension = 2});
  put(index, "a", at_degrees(0));
  const Vector east = at_degrees(0);
  IndexQuery query = near(east, 1);
  query.mmr_lambda = 1.5;
  CHECK(refused(index, query) == ErrorCode::invalid_argument);
  query = near(east, 1);
  query.percentile = -1;
  CHECK(refused(index, query) == ErrorCode::invalid_argument);
  query = near(east, 1);
  query.distinct = std::nan("");
  CHECK(refused(index, query) == ErrorCode::invalid_argument);
}
