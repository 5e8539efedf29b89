#include "semantic/graph.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "semantic/kernels.hpp"

using namespace actionhist;

namespace {

// Points around centres, as embeddings of real texts lie.
class Clusters {
 public:
  Clusters(std::size_t dimension, std::size_t count, unsigned seed) : centres_(count), random_(seed) {
    for (auto& centre : centres_) centre = point(std::vector<float>(dimension, 0.0F), 1);
  }

  std::vector<float> next() { return point(centres_[random_() % centres_.size()], 0.5F); }

 private:
  std::vector<float> point(std::vector<float> around, float spread) {
    double squares = 0;
    for (float& x : around) {
      x += spread * normal_(random_) / std::sqrt(static_cast<float>(around.size()));
      squares += static_cast<double>(x) * x;
    }
    for (float& x : around) x /= static_cast<float>(std::sqrt(squares));
    return around;
  }

  std::vector<std::vector<float>> centres_;
  std::mt19937 random_;
  std::normal_distribution<float> normal_;
};

std::set<std::uint32_t> exact(const Vectors& vectors, const std::vector<float>& query, std::size_t count,
                              const Bitmap* allowed) {
  std::vector<Neighbour> all;
  for (std::uint32_t slot = 0; slot < vectors.size(); ++slot) {
    if (allowed == nullptr || allowed->test(slot))
      all.push_back({vectors.distance(query.data(), vectors.at(slot)), slot});
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.distance < b.distance; });
  std::set<std::uint32_t> out;
  for (std::size_t i = 0; i < std::min(count, all.size()); ++i) out.insert(all[i].slot);
  return out;
}

double recall(const Graph& graph, const Vectors& vectors, Clusters& clusters, const Bitmap* allowed) {
  std::size_t found = 0;
  for (int i = 0; i < 50; ++i) {
    const auto query = clusters.next();
    const auto wanted = exact(vectors, query, 10, allowed);
    const auto got = graph.search(query.data(), 128, allowed, vectors.size());
    REQUIRE(got);
    for (std::size_t k = 0; k < 10; ++k) {
      if (allowed != nullptr) REQUIRE(allowed->test((*got)[k].slot));
      found += wanted.count((*got)[k].slot);
    }
  }
  return static_cast<double>(found) / 500;
}

}  // namespace

TEST_CASE("all kernels agree", "[graph]") {
  Clusters clusters(77, 1, 1);
  const auto a = clusters.next();
  const auto b = clusters.next();
  std::vector<std::int8_t> bytes(256);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::int8_t>(static_cast<int>(i % 255) - 127);
  for (const Kernels& kernel : all_kernels()) {
    CAPTURE(kernel.name);
    const auto portable = all_kernels().front();
    CHECK(kernel.dot_int8(bytes.data(), bytes.data(), 256) ==
          portable.dot_int8(bytes.data(), bytes.data(), 256));
    CHECK(kernel.dot_int8(bytes.data(), bytes.data() + 32, 224) ==
          portable.dot_int8(bytes.data(), bytes.data() + 32, 224));
  }
  for (std::size_t n = 0; n <= a.size(); ++n) {
    double dot = 0;
    double squared = 0;
    for (std::size_t i = 0; i < n; ++i) {
      dot += static_cast<double>(a[i]) * b[i];
      squared += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
    }
    for (const Kernels& kernel : all_kernels()) {
      CAPTURE(kernel.name, n);
      CHECK(kernel.dot(a.data(), b.data(), n) == Approx(dot).margin(1e-5));
      CHECK(kernel.squared_distance(a.data(), b.data(), n) == Approx(squared).margin(1e-5));
    }
  }
}

TEST_CASE("codes of a byte a component tell about the same distances", "[graph]") {
  const Metric metric = GENERATE(Metric::cosine, Metric::l2);
  Vectors vectors(100, metric);
  Clusters clusters(100, 5, 2);
  for (int i = 0; i < 50; ++i) vectors.append(clusters.next());
  vectors.append(std::vector<float>(100, 0.0F));
  const auto query = clusters.next();
  const auto code = vectors.encode(query.data());
  for (std::size_t slot = 0; slot < vectors.size(); ++slot) {
    CHECK(vectors.coarse_distance(code, slot) ==
          Approx(vectors.distance(query.data(), vectors.at(slot))).margin(0.02));
    CHECK(vectors.coarse_distance(slot, 7) ==
          Approx(vectors.distance(vectors.at(slot), vectors.at(7))).margin(0.02));
  }
}

TEST_CASE("the graph finds at least 95 of 100 true neighbours", "[graph]") {
  const Metric metric = GENERATE(Metric::cosine, Metric::l2);
  Vectors vectors(48, metric);
  Clusters clusters(48, 60, 7);
  for (int i = 0; i < 6000; ++i) vectors.append(clusters.next());
  Graph graph(vectors, 16, 64);
  graph.link(2500);
  CHECK(graph.linked() == 2500);
  graph.link(6000);
  CHECK(graph.linked() == 6000);
  CHECK(recall(graph, vectors, clusters, nullptr) >= 0.95);

  Bitmap every_third(vectors.size());
  for (std::size_t i = 0; i < vectors.size(); i += 3) every_third.set(i);
  CHECK(recall(graph, vectors, clusters, &every_third) >= 0.95);
}

TEST_CASE("a walk says when scanning would be cheaper", "[graph]") {
  Vectors vectors(16, Metric::cosine);
  Clusters clusters(16, 20, 3);
  for (int i = 0; i < 2000; ++i) vectors.append(clusters.next());
  Graph graph(vectors, 16, 64);
  graph.link(2000);
  Bitmap few(2000);
  for (std::size_t i = 0; i < 2000; i += 200) few.set(i);
  CHECK_FALSE(graph.search(clusters.next().data(), 50, &few, few.count()));
  CHECK(graph.search(clusters.next().data(), 50, &few, 2000)->size() == 10);
}

TEST_CASE("an empty graph finds nothing", "[graph]") {
  const Vectors vectors(4, Metric::cosine);
  Graph graph(vectors, 16, 64);
  graph.link(0);
  const std::vector<float> query(4, 0.5F);
  CHECK(graph.search(query.data(), 10, nullptr, 100)->empty());
}
