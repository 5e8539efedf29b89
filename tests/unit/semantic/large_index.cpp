// The index when it is large enough for its graph.
#include <actionhist/semantic_index.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "semantic/vector_leg.hpp"

using namespace actionhist;

namespace {

IndexQuery near(std::span<const float> vector, int limit, std::string_view where = {}) {
  IndexQuery query;
  query.vector = vector;
  query.limit = limit;
  if (!where.empty()) query.where = Json::parse(where);
  return query;
}

// Rows r0 … with vectors around 40 centres; `bucket` is the row's number mod 1000, `centre` its cluster.
class Many {
 public:
  static constexpr std::size_t dimension = 24;

  Many() : centres_(40) {
    for (auto& centre : centres_) centre = around(std::vector<float>(dimension, 0.0F), 1);
  }

  std::vector<float> vector(std::size_t centre) { return around(centres_[centre], 0.5F); }
  std::vector<float> query() { return vector(random_() % centres_.size()); }

  void fill(SemanticIndex& index, std::size_t count) {
    std::vector<IndexRow> rows;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t centre = random_() % centres_.size();
      vectors.push_back(vector(centre));
      const Json fields = Json::object(
          {{"bucket", static_cast<int>(vectors.size() - 1) % 1000}, {"centre", static_cast<int>(centre)}});
      rows.push_back({"r" + std::to_string(vectors.size() - 1), "pod restarts", {}, fields});
    }
    for (std::size_t i = 0; i < count; ++i) rows[i].vector = vectors[vectors.size() - count + i];
    index.put(rows);
  }

  // The true nearest rows among those that `allowed` says.
  template <class Allowed>
  std::set<std::string> nearest(const std::vector<float>& query, std::size_t count, Allowed allowed) const {
    std::vector<std::pair<double, std::size_t>> all;
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      if (!allowed(i)) continue;
      double distance = 0;
      for (std::size_t k = 0; k < dimension; ++k) distance -= static_cast<double>(query[k]) * vectors[i][k];
      all.emplace_back(distance, i);
    }
    std::sort(all.begin(), all.end());
    std::set<std::string> out;
    for (std::size_t i = 0; i < std::min(count, all.size()); ++i)
      out.insert("r" + std::to_string(all[i].second));
    return out;
  }

  std::vector<std::vector<float>> vectors;

 private:
  std::vector<float> around(std::vector<float> centre, float spread) {
    double squares = 0;
    for (float& x : centre) {
      x += spread * normal_(random_) / std::sqrt(static_cast<float>(dimension));
      squares += static_cast<double>(x) * x;
    }
    for (float& x : centre) x /= static_cast<float>(std::sqrt(squares));
    return centre;
  }

  std::vector<std::vector<float>> centres_;
  std::mt19937 random_{11};
  std::normal_distribution<float> normal_;
};

std::size_t common(const std::set<std::string>& wanted, const std::vector<IndexHit>& hits) {
  std::size_t sum = 0;
  for (const IndexHit& hit : hits) sum += wanted.count(hit.id);
  return sum;
}

}  // namespace

TEST_CASE("many rows are found through the graph, with and without filters, and never fewer than asked for",
          "[semantic_index]") {
  Many many;
  SemanticIndex index({.dimension = Many::dimension});
  many.fill(index, 20'000);
  index.optimize();
  CHECK(index.stats().linked == 20'000);

  std::size_t found = 0;
  for (int i = 0; i < 50; ++i) {
    const auto query = many.query();
    const auto hits = index.search(near(query, 10));
    REQUIRE(hits.size() == 10);
    found += common(many.nearest(query, 10, [](std::size_t) { return true; }), hits);
  }
  CHECK(found >= 475);

  const auto query = many.query();
  {
    INFO("twenty rows match, spread over the graph");
    const auto wanted = many.nearest(query, 10, [](std::size_t i) { return i % 1000 == 7; });
    const auto hits = index.search(near(query, 10, R"({"bucket": 7})"));
    CHECK(hits.size() == 10);
    CHECK(common(wanted, hits) == 10);
    CHECK(index.search(near(query, 50, R"({"bucket": 7})")).size() == 20);
  }
  {
    INFO("half of the rows match");
    const auto wanted = many.nearest(query, 10, [](std::size_t i) { return i % 1000 < 500; });
    const auto hits = index.search(near(query, 10, R"({"bucket": {"$lt": 500}})"));
    CHECK(hits.size() == 10);
    CHECK(common(wanted, hits) >= 9);
    for (const IndexHit& hit : hits) CHECK(std::stoi(hit.id.substr(1)) % 1000 < 500);
  }
  {
    INFO("the matching rows lie far from the query");
    const auto far = many.vector(3);
    const auto hits = index.search(near(far, 10, R"({"centre": {"$nin": [3, 4, 5]}})"));
    CHECK(hits.size() == 10);
  }
  CHECK(index.search(near(query, 10, R"({"bucket": "7"})")).empty());
  CHECK(index.search(near(query, 10'000)).size() == 10'000);
}

TEST_CASE("rows that repeat each other by thousands do not hide the others", "[semantic_index]") {
  Many many;
  SemanticIndex index({.dimension = Many::dimension, .sealed_rows = 500});
  many.fill(index, 2000);
  const auto repeated = many.query();
  std::vector<IndexRow> rows;
  for (int i = 0; i < 4000; ++i) rows.push_back({"copy" + std::to_string(i), "pod restarts", repeated, {}});
  index.put(rows);
  CHECK(index.stats().vectors == 6000);
  std::size_t found = 0;
  for (int i = 0; i < 20; ++i) {
    const auto query = many.query();
    auto request = near(query, 10);
    request.where = Json::parse(R"({"bucket": {"$exists": true}})");
    found += common(many.nearest(query, 10, [](std::size_t) { return true; }), index.search(request));
  }
  CHECK(found >= 190);
  const auto hits = index.search(near(repeated, 10'000));
  CHECK(hits.size() == 6000);
  CHECK(hits[3999].similarity == Approx(1));
  CHECK(hits[3999].id == "copy999");
  for (int i = 0; i < 4000; ++i) CHECK(index.remove("copy" + std::to_string(i)));
  CHECK(index.stats().vectors == 2000);
  CHECK(index.search(near(repeated, 1))[0].id[0] == 'r');
}

TEST_CASE("a large index stays right through updates, removals and its compaction", "[semantic_index]") {
  Many many;
  SemanticIndex index({.dimension = Many::dimension, .sealed_rows = 1000});
  many.fill(index, 6000);
  for (std::size_t i = 0; i < 6000; ++i) {
    if (i % 2 == 0) CHECK(index.remove("r" + std::to_string(i)));
  }
  index.optimize();
  CHECK(index.stats().deleted < 1300);
  CHECK(index.stats().rows == 3000);
  for (std::size_t i = 1; i < 6000; i += 4) {
    many.vectors[i] = many.query();
    CHECK(index.set_vector("r" + std::to_string(i), many.vectors[i]));
  }
  CHECK(index.stats().vectors == 3000);
  index.optimize();
  CHECK(index.stats().linked <= 4500);
  std::size_t found = 0;
  for (int i = 0; i < 20; ++i) {
    const auto query = many.query();
    const auto hits = index.search(near(query, 10));
    REQUIRE(hits.size() == 10);
    found += common(many.nearest(query, 10, [](std::size_t row) { return row % 2 == 1; }), hits);
  }
  CHECK(found >= 190);
  const auto hits = index.search(near(many.query(), 100, R"({"bucket": {"$in": [1, 3, 5]}})"));
  CHECK(hits.size() == 18);
}

TEST_CASE("what waits behind a large import is linked in steps", "[semantic_index]") {
  constexpr std::uint32_t rows = 40'000;
  VectorLeg leg({.dimension = 4});
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (std::uint32_t row = 0; row < rows; ++row) {
    leg.set(row, leg.prepare(std::vector<float>{normal(random), normal(random), normal(random), 1}));
  }
  const std::size_t slots = leg.wanted_sealing(true)->end;
  CHECK(slots > rows / 2);
  std::vector<std::size_t> linked;
  while (auto step = leg.wanted_sealing(false)) {
    REQUIRE(step->build([] { return false; }));
    leg.adopt(std::move(*step));
    linked.push_back(leg.linked());
  }
  CHECK(linked.size() == 3);
  CHECK(linked.front() < slots / 2);
  CHECK(linked.back() == slots);
}

TEST_CASE("searches and changes from many threads see whole rows only", "[semantic_index]") {
  Many many;
  SemanticIndex index({.dimension = Many::dimension, .sealed_rows = 300});
  many.fill(index, 600);
  std::atomic<bool> done = false;
  std::atomic<int> wrong = 0;
  std::atomic<int> searches = 0;
  std::vector<std::thread> readers;
  const auto query = many.query();
  for (int t = 0; t < 3; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        auto request = near(query, 20, R"({"centre": {"$gte": 0}})");
        request.text = "pod";
        const auto hits = index.search(request);
        if (hits.size() != 20) ++wrong;
        for (const IndexHit& hit : hits) wrong += hit.matched_terms != std::vector<std::string>{"pod"};
        index.stats();
        ++searches;
      }
    });
  }
  for (int i = 0; i < 1500; ++i) {
    const std::string id = "r" + std::to_string(i % 300);
    const IndexRow row{id, "pod restarts " + std::to_string(i),
                       many.vectors[static_cast<std::size_t>(i % 300)], Json::object({{"centre", i}})};
    index.put({&row, 1});
    if (i % 3 == 0) index.set_fields(id, Json::object({{"centre", 1}}));
    if (i % 7 == 0) index.remove(id);
  }
  while (searches < 10) std::this_thread::yield();
  done = true;
  for (auto& reader : readers) reader.join();
  CHECK(wrong == 0);
}
