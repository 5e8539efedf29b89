// The nearest few of the slots whose codes are compared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "semantic/vectors.hpp"
#include "semantic/walk.hpp"

namespace actionhist {

class NearestCodes {
 public:
  // REQUIRES: count is at least 1.
  NearestCodes(const Vectors& vectors, const Vectors::Query& query, std::size_t count)
      : vectors_(vectors), query_(query), count_(count) {
    heap_.reserve(count + 1);
  }

  // Calls use(slot's place in the list, distance) for each.
  template <class Use>
  void compare(std::span<const std::uint32_t> slots, Use&& use) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (i + ahead < slots.size()) vectors_.prefetch(slots[i + ahead]);
      const float distance = vectors_.coarse_distance(query_, slots[i]);
      use(i, distance);
      if (distance >= farthest()) continue;
      heap_.push_back({distance, slots[i]});
      std::push_heap(heap_.begin(), heap_.end(), Nearer());
      if (heap_.size() <= count_) continue;
      std::pop_heap(heap_.begin(), heap_.end(), Nearer());
      heap_.pop_back();
    }
  }

  // Of those that are kept; infinite while there are fewer than wanted.
  float farthest() const {
    return heap_.size() < count_ ? std::numeric_limits<float>::infinity() : heap_.front().distance;
  }
  // Nearest first.
  std::vector<Neighbour> take() {
    std::sort_heap(heap_.begin(), heap_.end(), Nearer());
    return std::move(heap_);
  }

 private:
  static constexpr std::size_t ahead = 4;

  const Vectors& vectors_;
  const Vectors::Query& query_;
  std::size_t count_;
  std::vector<Neighbour> heap_;  // the farthest first
};

}  // namespace actionhist
