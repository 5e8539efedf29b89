#include <actionhist/anomaly.hpp>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace actionhist {
namespace {

// Ids of what is no step of any sequence.
constexpr int boundary = 0;  // before the first step and after the last
constexpr int unknown = 1;   // a step that the history does not have
constexpr int first_step = 2;

std::uint64_t pair_of(int from, int to) {
  return static_cast<std::uint64_t>(from) << 32U | static_cast<std::uint32_t>(to);
}

}  // namespace

SequenceModel::SequenceModel(std::span<const std::vector<std::string>> history, double smoothing)
    : smoothing_(smoothing), follows_(first_step, 0.) {
  assert(smoothing > 0);
  const auto count = [&](int from, int to) {
    ++pairs_[pair_of(from, to)];
    ++follows_[static_cast<std::size_t>(from)];
  };
  for (const auto& sequence : history) {
    int last = boundary;
    for (const std::string& step : sequence) {
      const int id = ids_.emplace(step, static_cast<int>(follows_.size())).first->second;
      if (static_cast<std::size_t>(id) == follows_.size()) follows_.push_back(0);
      count(last, id);
      last = id;
    }
    count(last, boundary);
  }
  for (const auto& sequence : history) surprises_.push_back(surprise(sequence).nats);
  std::ranges::sort(surprises_);
}

int SequenceModel::id_of(const std::string& step) const {
  const auto known = ids_.find(step);
  return known == ids_.end() ? unknown : known->second;
}

double SequenceModel::nats(int from, int to) const {
  const auto known = pairs_.find(pair_of(from, to));
  const double count = known == pairs_.end() ? 0 : known->second;
  // Any known step, one that is not known, or the end may follow.
  const auto outcomes = static_cast<double>(follows_.size());
  return -std::log((count + smoothing_) / (follows_[static_cast<std::size_t>(from)] + smoothing_ * outcomes));
}

Surprise SequenceModel::surprise(std::span<const std::string> sequence, bool ended) const {
  Surprise greatest;
  int last = boundary;
  const auto look = [&](int to, std::size_t position) {
    const double found = nats(last, to);
    if (found > greatest.nats) greatest = {found, position};
    last = to;
  };
  for (std::size_t i = 0; i < sequence.size(); ++i) look(id_of(sequence[i]), i);
  if (ended) look(boundary, sequence.size());
  return greatest;
}

double SequenceModel::threshold(double quantile) const {
  assert(quantile > 0 && quantile <= 1);
  if (surprises_.empty()) return std::numeric_limits<double>::infinity();
  const auto rank = std::ceil(quantile * static_cast<double>(surprises_.size()));
  return surprises_[static_cast<std::size_t>(rank) - 1];
}

}  // namespace actionhist
