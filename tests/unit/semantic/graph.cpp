#include "semantic/graph_builder.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include <catch2/catch.hpp>

#include "semantic/bitmap.hpp"
#include "semantic/calibration.hpp"
#include "semantic/sign_scan.hpp"
#include "semantic/walk.hpp"

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

std::shared_ptr<const Graph> built(const Vectors& vectors, std::size_t end, const Graph* before = nullptr) {
  return extended(before, vectors, end, {}, [] { return false; });
}

// The nearest slots in full precision.
std::set<std::uint32_t> exact(const Vectors& vectors, const Vectors::Query& query, std::size_t count,
                              const Bitmap* allowed) {
  std::vector<Neighbour> all;
  for (std::uint32_t slot = 0; slot < vectors.size(); ++slot) {
    if (allowed == nullptr || allowed->test(slot)) all.push_back({vectors.distance(query, slot), slot});
  }
  std::sort(all.begin(), all.end(), Nearer());
  std::set<std::uint32_t> out;
  for (std::size_t i = 0; i < std::min(count, all.size()); ++i) out.insert(all[i].slot);
  return out;
}

// How many of the ten nearest are among the first 40 that a walk of this width finds.
double recall(const Graph& graph, const Vectors& vectors, Clusters& clusters, const Bitmap* allowed,
              bool two_hops, std::size_t width = 128) {
  std::size_t found = 0;
  for (int i = 0; i < 50; ++i) {
    const auto query = vectors.query(clusters.next());
    const auto wanted = exact(vectors, query, 10, allowed);
    const auto passes = [&](std::uint32_t slot) { return allowed->test(slot); };
    const Walked walked = allowed == nullptr ? walk(graph, vectors, query, width)
                                             : filtered_walk(graph, vectors, query, width, passes, two_hops,
                                                             vectors.size() * 2);
    REQUIRE(walked.complete);
    for (std::size_t k = 0; k < std::min<std::size_t>(40, walked.found.size()); ++k) {
      if (allowed != nullptr) REQUIRE(passes(walked.found[k].slot));
      found += wanted.count(walked.found[k].slot);
    }
  }
  return static_cast<double>(found) / 500;
}

}  // namespace

TEST_CASE("codes of a byte a component tell about the same distances", "[graph]") {
  const Metric metric = GENERATE(Metric::cosine, Metric::l2);
  const Precision precision = GENERATE(Precision::full, Precision::half, Precision::byte);
  Vectors vectors(100, metric, precision);
  Clusters clusters(100, 5, 2);
  for (int i = 0; i < 50; ++i) vectors.append(clusters.next());
  vectors.append(std::vector<float>(100, 0.0F));
  const auto query = vectors.query(clusters.next());
  for (std::size_t slot = 0; slot < vectors.size(); ++slot) {
    CHECK(vectors.coarse_distance(query, slot) == Approx(vectors.distance(query, slot)).margin(0.02));
    CHECK(vectors.coarse_distance(slot, 7) == Approx(vectors.coarse_distance(7, slot)));
    std::vector<float> values(100);
    vectors.decode(slot, values.data());
    CHECK(vectors.keeps(slot, vectors.kept_form(values)));
  }
}

TEST_CASE("signs are taken once there are enough vectors, and the nearest differ in the fewest", "[graph]") {
  Vectors vectors(256, Metric::cosine, Precision::full);
  Clusters clusters(256, 30, 4);
  while (vectors.size() < Vectors::mean_slots - 1) vectors.append(clusters.next());
  CHECK_FALSE(vectors.has_signs());
  while (vectors.size() < 3000) vectors.append(clusters.next());
  REQUIRE(vectors.has_signs());
  std::vector<float> values(256);
  for (const std::size_t slot : {0, 1023, 1024, 2999}) {
    vectors.decode(slot, values.data());
    CHECK(vectors.sign_distance(vectors.query(values), slot) == 0);
  }
  const auto query = vectors.query(clusters.next());
  double near = 0;
  for (const std::uint32_t slot : exact(vectors, query, 10, nullptr))
    near += vectors.sign_distance(query, slot) / 10.0;
  double all = 0;
  for (std::size_t slot = 0; slot < 3000; ++slot) all += vectors.sign_distance(query, slot) / 3000.0;
  CHECK(near < all * 0.8);
}

TEST_CASE("the signs keep a walk from most of what lies far, and from little of what lies near", "[graph]") {
  Vectors vectors(256, Metric::cosine, Precision::full);
  Clusters clusters(256, 30, 5);
  while (vectors.size() < 6000) vectors.append(clusters.next());
  std::size_t near = 0, kept_near = 0, kept = 0, all = 0;
  for (int round = 0; round < 20; ++round) {
    const auto query = vectors.query(clusters.next());
    const auto nearest = exact(vectors, query, 100, nullptr);
    float farthest = -1;
    for (const std::uint32_t slot : nearest)
      farthest = std::max(farthest, vectors.coarse_distance(query, slot));
    SignGate gate(vectors, query);
    for (std::uint32_t begin = 0; begin < 6000; begin += 40) {
      std::vector<std::uint32_t> slots;
      for (std::uint32_t slot = begin; slot < begin + 40; ++slot) slots.push_back(slot);
      gate.sift(slots, farthest, [](std::size_t, std::uint32_t) {});
      if (begin == 0) CHECK(slots.size() == 40);  // nothing is known yet
      for (std::size_t i = 0; i < slots.size(); ++i) {
        gate.learn(i, vectors.coarse_distance(query, slots[i]));
        if (begin >= 80) kept_near += nearest.count(slots[i]);
      }
      if (begin < 80) continue;
      all += 40;
      kept += slots.size();
      for (std::uint32_t slot = begin; slot < begin + 40; ++slot) near += nearest.count(slot);
    }
  }
  CHECK(kept < all / 2);
  CHECK(kept_near > near * 9 / 10);
}

TEST_CASE("the graph finds at least 95 of 100 true neighbours", "[graph]") {
  const Metric metric = GENERATE(Metric::cosine, Metric::l2);
  Vectors vectors(48, metric, Precision::full);
  Clusters clusters(48, 60, 7);
  for (int i = 0; i < 6000; ++i) vectors.append(clusters.next());
  const auto before = built(vectors, 2500);
  CHECK(before->size() == 2500);
  const auto graph = built(vectors, 6000, before.get());
  CHECK(graph->size() == 6000);
  CHECK(before->size() == 2500);
  CHECK(recall(*graph, vectors, clusters, nullptr, false) >= 0.95);

  Bitmap every_third(vectors.size());
  for (std::size_t i = 0; i < vectors.size(); i += 3) every_third.set(i);
  CHECK(recall(*graph, vectors, clusters, &every_third, false) >= 0.95);
  CHECK(recall(*graph, vectors, clusters, &every_third, true) >= 0.95);

  for (const int looks : {0, 3, 20, 300}) {
    int left = looks;
    CHECK_FALSE(calibrate(*graph, vectors, [&] { return --left < 0; }));
    CHECK(left >= -12);  // it ends soon
  }
  const Calibration calibration = calibrate(*graph, vectors, [] { return false; }).value();
  CHECK(calibration.slots == 6000);
  CHECK(calibration.walk.reaches);
  CHECK(calibration.walk.distances > 100);
  CHECK(calibration.two_hop_walks[0].reaches);
  // On queries that are no rows, as the samples were taken to be.
  CHECK(recall(*graph, vectors, clusters, nullptr, false, calibration.walk.width) >= 0.985);
  Bitmap every_fourth(vectors.size());
  for (std::size_t i = 0; i < vectors.size(); i += 4) every_fourth.set(i);
  CHECK(recall(*graph, vectors, clusters, &every_fourth, true, calibration.two_hop_walks[1].width) >= 0.985);

  std::vector<float> values(48);
  vectors.decode(77, values.data());
  const auto same = [](const Neighbour& one) { return one.slot == 77; };
  CHECK(std::ranges::any_of(walk(*graph, vectors, vectors.query(values), 20).found, same));
  CHECK(std::ranges::none_of(walk(*graph, vectors, vectors.query(values), 20, 77).found, same));
}

TEST_CASE("a scan by signs finds the nearest, near and far", "[graph]") {
  Vectors vectors(256, Metric::cosine, Precision::full);
  Clusters clusters(256, 30, 6);
  while (vectors.size() < 6000) vectors.append(clusters.next());
  std::size_t found = 0;
  for (int round = 0; round < 20; ++round) {
    const auto query = vectors.query(clusters.next());
    // In every other round nothing that lies near may be found.
    const auto near = exact(vectors, query, 400, nullptr);
    Bitmap allowed(vectors.size(), true);
    if (round % 2 == 1) {
      for (const std::uint32_t slot : near) allowed.reset(slot);
    }
    std::vector<std::uint32_t> slots;
    allowed.for_each([&](std::size_t slot) { slots.push_back(static_cast<std::uint32_t>(slot)); });
    const auto wanted = exact(vectors, query, 10, &allowed);
    const auto got = sign_scan(vectors, query, slots, 20);
    CHECK(got.size() == 20);
    CHECK(std::ranges::is_sorted(got, Nearer()));
    for (const Neighbour& one : got) found += wanted.count(one.slot);
  }
  CHECK(found >= 195);
  const auto query = vectors.query(clusters.next());
  CHECK(sign_scan(vectors, query, {}, 5).empty());
  const std::vector<std::uint32_t> few = {7, 9, 11};
  CHECK(sign_scan(vectors, query, few, 5).size() == 3);
}

TEST_CASE("a walk ends when scanning would be cheaper", "[graph]") {
  Vectors vectors(16, Metric::cosine, Precision::full);
  Clusters clusters(16, 20, 3);
  for (int i = 0; i < 2000; ++i) vectors.append(clusters.next());
  const auto graph = built(vectors, 2000);
  const auto few = [](std::uint32_t slot) { return slot % 200 == 0; };
  const auto query = vectors.query(clusters.next());
  CHECK_FALSE(filtered_walk(*graph, vectors, query, 50, few, false, 10).complete);
  const Walked all = filtered_walk(*graph, vectors, query, 50, few, false, 2000);
  CHECK(all.complete);
  CHECK(all.found.size() == 10);
}

TEST_CASE("a build that is cancelled gives nothing, and an empty graph finds nothing", "[graph]") {
  Vectors vectors(4, Metric::cosine, Precision::full);
  const auto empty = built(vectors, 0);
  CHECK(walk(*empty, vectors, vectors.query(std::vector<float>(4, 0.5F)), 10).found.empty());
  for (int i = 0; i < 100; ++i) vectors.append(std::vector<float>{1, 0, 0, static_cast<float>(i)});
  CHECK(extended(nullptr, vectors, 100, {}, [] { return true; }) == nullptr);
}
