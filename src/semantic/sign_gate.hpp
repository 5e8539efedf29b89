// Tells a walk which slots are not worth fetching: their signs, an eighth of a code, place them far behind what it
// has found. How far signs and codes agree depends on the model and on where the query lies, so each walk fits
// its own line of sign distance on code distance while it goes, and drops what lies well above it.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "semantic/vectors.hpp"

namespace actionhist {

class SignGate {
 public:
  SignGate(const Vectors& vectors, const Vectors::Query& query)
      : vectors_(vectors), query_(query), open_(!serves(vectors)) {}

  // Whether slots have signs, and so many that they say something that codes would not as fast.
  static bool serves(const Vectors& vectors) {
    return vectors.has_signs() && vectors.dimension() >= least_dimension;
  }

  // Every slot passes.
  bool open() const { return open_; }

  // Drops the slots that are most likely not nearer than `farthest`, and calls pass(place, slot) for each of the
  // others as soon as it is known. REQUIRES: not open().
  template <class Pass>
  void sift(std::vector<std::uint32_t>& slots, float farthest, Pass&& pass) {
    const double limit = limit_for(static_cast<double>(farthest));
    signs_.clear();
    std::size_t kept = 0;
    for (const std::uint32_t slot : slots) {
      const std::uint32_t signs = vectors_.sign_distance(query_, slot);
      if (static_cast<double>(signs) > limit) continue;
      pass(kept, slot);
      slots[kept++] = slot;
      signs_.push_back(signs);
    }
    slots.resize(kept);
  }

  // The code distance of the slot that sift() left in this place.
  void learn(std::size_t place, float distance) {
    const auto x = static_cast<double>(distance);
    const auto y = static_cast<double>(signs_[place]);
    ++count_;
    sum_x_ += x;
    sum_y_ += y;
    sum_xx_ += x * x;
    sum_xy_ += x * y;
    sum_yy_ += y * y;
  }

 private:
  static constexpr std::size_t least_dimension = 128;
  static constexpr double fewest = 24;       // pairs that a line is fitted to
  static constexpr double deviations = 1.5;  // at which the recall was that of a walk without a gate
  static constexpr double growth = 1.1;      // of the pairs, after which the line is fitted again

  double limit_for(double farthest) {
    if (count_ < fewest || std::isinf(farthest)) return std::numeric_limits<double>::infinity();
    if (count_ >= fitted_ * growth) fit();
    return offset_ + slope_ * farthest;
  }

  void fit() {
    fitted_ = count_;
    const double xx = sum_xx_ - sum_x_ * sum_x_ / count_;
    const double xy = sum_xy_ - sum_x_ * sum_y_ / count_;
    const double yy = sum_yy_ - sum_y_ * sum_y_ / count_;
    slope_ = xx > 0 ? xy / xx : 0;
    const double deviation = std::sqrt(std::max(0.0, yy - slope_ * xy) / count_);
    offset_ = (sum_y_ - slope_ * sum_x_) / count_ + deviations * deviation;
  }

  const Vectors& vectors_;
  const Vectors::Query& query_;
  bool open_;
  std::vector<std::uint32_t> signs_;  // of the slots that the last sift() left
  double count_ = 0;
  double fitted_ = 0;  // pairs when the line was fitted
  double slope_ = 0, offset_ = 0;
  double sum_x_ = 0, sum_y_ = 0, sum_xx_ = 0, sum_xy_ = 0, sum_yy_ = 0;
};

}  // namespace actionhist
