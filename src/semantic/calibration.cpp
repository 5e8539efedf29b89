#include "semantic/calibration.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "semantic/walk.hpp"

namespace actionhist {
namespace {

constexpr std::size_t samples = 48;
constexpr std::size_t nearest_kept = 10;
constexpr std::size_t looked_at = 64;  // by code, of which the nearest are taken in full precision
constexpr double wanted = 0.99;
constexpr std::size_t widest = 512;
// Queries are not rows of the index: they lie a little farther from it than rows from each other.
constexpr double margin = 1.4;

// The slots are also tried as if a filter let only a part of them pass.
constexpr std::array<double, 4> shares = {1.0 / 64, Calibration::two_hop_share, Calibration::result_share, 1};
constexpr std::size_t two_hop = 1, result = 2, all = 3;

bool passes(std::uint32_t slot, std::size_t share) {
  return static_cast<double>(slot * 2'654'435'761U) < shares[share] * 0x1p32;
}

// What is nearest to a slot among the others that pass.
struct Nearest {
  std::vector<std::uint32_t> slots;
  std::vector<std::size_t> code_ranks;  // of each of them
};

struct Sample {
  Vectors::Query query;
  std::uint32_t slot = 0;
  std::array<Nearest, shares.size()> nearest;
};

Nearest nearest_of(const Vectors& vectors, const Sample& sample, const std::vector<Neighbour>& distances,
                   std::size_t share) {
  std::vector<Neighbour> by_code;
  for (const Neighbour& one : distances) {
    if (one.slot != sample.slot && passes(one.slot, share)) by_code.push_back(one);
  }
  const std::size_t kept = std::min(looked_at, by_code.size());
  std::partial_sort(by_code.begin(), by_code.begin() + static_cast<std::ptrdiff_t>(kept), by_code.end(),
                    Nearer());

  std::vector<std::pair<float, std::size_t>> exact;  // distance, rank by code
  for (std::size_t rank = 0; rank < kept; ++rank)
    exact.emplace_back(vectors.distance(sample.query, by_code[rank].slot), rank);
  std::sort(exact.begin(), exact.end());
  exact.resize(std::min(nearest_kept, exact.size()));
  Nearest nearest;
  for (const auto& one : exact) {
    nearest.slots.push_back(by_code[one.second].slot);
    nearest.code_ranks.push_back(one.second + 1);
  }
  return nearest;
}

Sample sample_of(const Vectors& vectors, std::size_t slots, std::uint32_t slot) {
  Sample sample;
  sample.slot = slot;
  std::vector<float> values(vectors.dimension());
  vectors.decode(slot, values.data());
  sample.query = vectors.query(values);
  std::vector<Neighbour> distances;
  distances.reserve(slots);
  for (std::uint32_t i = 0; i < slots; ++i)
    distances.push_back({vectors.coarse_distance(sample.query, i), i});
  for (std::size_t share = 0; share < shares.size(); ++share)
    sample.nearest[share] = nearest_of(vectors, sample, distances, share);
  return sample;
}

std::size_t quantile(std::vector<std::size_t> values, double part) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

struct Outcome {
  double recall = 0;
  double distances = 0;
};

Outcome outcome_of(const Graph& graph, const Vectors& vectors, const std::vector<Sample>& sampled,
                   std::size_t share, std::size_t width) {
  Outcome outcome;
  double owed = 0;
  for (const Sample& sample : sampled) {
    const auto allowed = [share](std::uint32_t slot) { return passes(slot, share); };
    const Walked walked = share == all ? walk(graph, vectors, sample.query, width)
                                       : filtered_walk(graph, vectors, sample.query, width, allowed,
                                                       share == two_hop, graph.size());
    outcome.distances += static_cast<double>(walked.distances) / static_cast<double>(sampled.size());
    for (const std::uint32_t slot : sample.nearest[share].slots) {
      ++owed;
      outcome.recall +=
          std::ranges::any_of(walked.found, [&](const Neighbour& one) { return one.slot == slot; });
    }
  }
  outcome.recall /= std::max(owed, 1.0);
  return outcome;
}

Calibration::Walk measured_walk(const Graph& graph, const Vectors& vectors,
                                const std::vector<Sample>& sampled, std::size_t share) {
  std::size_t width = 16;
  Outcome outcome = outcome_of(graph, vectors, sampled, share, width);
  while (outcome.recall < wanted && width < widest) {
    width += width / 2;
    outcome = outcome_of(graph, vectors, sampled, share, width);
  }
  return {static_cast<std::size_t>(static_cast<double>(width) * margin),
          outcome.distances * std::pow(margin, 0.8), outcome.recall >= wanted};
}

}  // namespace

Calibration calibrate(const Graph& graph, const Vectors& vectors) {
  Calibration calibration;
  const std::size_t slots = graph.size();
  if (slots < 8 * samples) return calibration;
  calibration.slots = slots;
  std::vector<Sample> sampled;
  for (std::size_t i = 0; i < samples; ++i)
    sampled.push_back(sample_of(vectors, slots, static_cast<std::uint32_t>(i * (slots / samples))));

  std::vector<std::size_t> code_ranks;
  for (std::size_t share = 0; share < shares.size(); ++share) {
    for (const Sample& sample : sampled) {
      const Nearest& nearest = sample.nearest[share];
      code_ranks.insert(code_ranks.end(), nearest.code_ranks.begin(), nearest.code_ranks.end());
    }
  }
  const auto rank = static_cast<double>(quantile(code_ranks, 0.999));
  calibration.code_ratio = std::clamp(rank / static_cast<double>(nearest_kept), 1.2, 8.0);
  calibration.walk = measured_walk(graph, vectors, sampled, all);
  calibration.result_walk = measured_walk(graph, vectors, sampled, result);
  calibration.two_hop_walk = measured_walk(graph, vectors, sampled, two_hop);
  return calibration;
}

}  // namespace actionhist
