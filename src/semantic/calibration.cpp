#include "semantic/calibration.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "semantic/walk.hpp"

namespace actionhist {
namespace {

constexpr std::size_t samples = 160;
constexpr std::size_t looked_at = 64;  // by code, of which the nearest are taken in full precision
constexpr double wanted = 0.99;
constexpr std::size_t widest = 512;
constexpr std::uint32_t slots_between_looks = 1024;  // whether it was cancelled

// The slots are also tried as if a filter let only a part of them pass.
constexpr std::array<double, 5> shares = {1.0 / 64, Calibration::two_hop_shares[0],
                                          Calibration::two_hop_shares[1], Calibration::result_share, 1};
constexpr std::size_t few_pass = 1, quarter = 2, result = 3, all = 4;

// The first of the shares with which the slot passes: then it does with all behind it.
std::size_t first_share(std::uint32_t slot) {
  const double place = static_cast<double>(slot * 2'654'435'761U) / 0x1p32;
  std::size_t share = 0;
  while (shares[share] <= place) ++share;
  return share;
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

Nearest nearest_of(const Vectors& vectors, const Vectors::Query& query,
                   const std::vector<Neighbour>& by_code) {
  std::vector<std::pair<float, std::size_t>> exact;  // distance, rank by code
  for (std::size_t rank = 0; rank < by_code.size(); ++rank)
    exact.emplace_back(vectors.distance(query, by_code[rank].slot), rank);
  std::sort(exact.begin(), exact.end());
  exact.resize(std::min(Calibration::nearest_wanted, exact.size()));
  Nearest nearest;
  for (const auto& one : exact) {
    nearest.slots.push_back(by_code[one.second].slot);
    nearest.code_ranks.push_back(one.second + 1);
  }
  return nearest;
}

using Cancelled = std::function<bool()>;

// Incomplete when it was cancelled, as all that follows.
std::vector<Sample> samples_of(const Graph& graph, const Vectors& vectors, const Cancelled& cancelled) {
  std::vector<Sample> out;
  std::vector<float> values(vectors.dimension());
  for (std::size_t i = 0; i < samples; ++i) {
    auto slot = static_cast<std::uint32_t>(i * graph.size() / samples);
    // A walk begins at one of those that are on the upper levels too.
    while (graph.parts().levels[slot] > 0 && slot + 1 < graph.size()) ++slot;
    vectors.decode(slot, values.data());
    out.push_back({vectors.query(values), slot, {}});
  }
  std::vector<std::array<Pool, shares.size()>> by_code(
      samples, {Pool(looked_at), Pool(looked_at), Pool(looked_at), Pool(looked_at), Pool(looked_at)});
  for (std::uint32_t slot = 0; slot < graph.size(); ++slot) {
    if (slot % slots_between_looks == 0 && cancelled()) break;
    const std::size_t first = first_share(slot);
    for (std::size_t i = 0; i < samples; ++i) {
      if (slot == out[i].slot) continue;
      const Neighbour one{vectors.coarse_distance(out[i].query, slot), slot};
      for (std::size_t share = first; share < shares.size(); ++share) by_code[i][share].offer(one);
    }
  }
  for (std::size_t i = 0; i < samples; ++i) {
    for (std::size_t share = 0; share < shares.size(); ++share)
      out[i].nearest[share] = nearest_of(vectors, out[i].query, by_code[i][share].take());
  }
  return out;
}

std::size_t quantile(std::vector<std::size_t> values, double part) {
  if (values.empty()) return 0;
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

struct Trial {
  double recall = 0;
  double distances = 0;
};

// A query is hardly ever a row of the index, to which links lead: each sample is looked for as if it were not there.
Trial trial_of(const Graph& graph, const Vectors& vectors, const std::vector<Sample>& sampled,
               std::size_t share, std::size_t width, const Cancelled& cancelled) {
  Trial trial;
  double owed = 0;
  const auto allowed = [share](std::uint32_t slot) { return first_share(slot) <= share; };
  for (const Sample& sample : sampled) {
    if (cancelled()) break;
    const Walked walked = share == all ? walk(graph, vectors, sample.query, width, sample.slot)
                                       : filtered_walk(graph, vectors, sample.query, width, allowed,
                                                       share < result, graph.size(), sample.slot);
    trial.distances += static_cast<double>(walked.distances) / static_cast<double>(sampled.size());
    for (const std::uint32_t slot : sample.nearest[share].slots) {
      ++owed;
      trial.recall +=
          std::ranges::any_of(walked.found, [&](const Neighbour& one) { return one.slot == slot; });
    }
  }
  trial.recall /= std::max(owed, 1.0);
  return trial;
}

Calibration::Walk measured_walk(const Graph& graph, const Vectors& vectors,
                                const std::vector<Sample>& sampled, std::size_t share,
                                const Cancelled& cancelled) {
  std::size_t width = Calibration::nearest_wanted + 2;
  Trial trial = trial_of(graph, vectors, sampled, share, width, cancelled);
  while (trial.recall < wanted && width < widest && !cancelled()) {
    width += std::max<std::size_t>(width / 5, 2);
    trial = trial_of(graph, vectors, sampled, share, width, cancelled);
  }
  return {width, trial.distances, trial.recall >= wanted};
}

}  // namespace

std::optional<Calibration> calibrate(const Graph& graph, const Vectors& vectors, const Cancelled& cancelled) {
  Calibration calibration;
  if (graph.size() < 8 * samples) return calibration;
  calibration.slots = graph.size();
  const std::vector<Sample> sampled = samples_of(graph, vectors, cancelled);
  std::vector<std::size_t> code_ranks;
  for (const Sample& sample : sampled) {
    for (const Nearest& nearest : sample.nearest)
      code_ranks.insert(code_ranks.end(), nearest.code_ranks.begin(), nearest.code_ranks.end());
  }
  const auto rank = static_cast<double>(quantile(code_ranks, 0.999));
  calibration.code_ratio = std::clamp(rank / static_cast<double>(Calibration::nearest_wanted), 1.2, 8.0);
  const auto measured = [&](std::size_t share) {
    return measured_walk(graph, vectors, sampled, share, cancelled);
  };
  calibration.walk = measured(all);
  calibration.result_walk = measured(result);
  calibration.two_hop_walks = {measured(few_pass), measured(quarter)};
  if (cancelled()) return std::nullopt;
  return calibration;
}

}  // namespace actionhist
