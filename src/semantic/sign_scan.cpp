#include "semantic/sign_scan.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "semantic/nearest_codes.hpp"

namespace actionhist {
namespace {

constexpr std::size_t ahead = 12;
constexpr std::size_t step = 32;  // codes that are compared between two looks at the line
// So many slots are put in order at first, as a multiple of what is wanted, and then so many times as many.
constexpr std::size_t first_part = 16;
constexpr std::size_t growth = 8;
// At which hardly any of the nearest is left out.
constexpr double deviations = 3.5;

// A line of code distance on sign distance. What is compared is chosen by signs alone, so that it shows the line
// without bias.
class Line {
 public:
  void learn(double signs, double distance) {
    ++count_;
    sum_x_ += signs;
    sum_y_ += distance;
    sum_xx_ += signs * signs;
    sum_xy_ += signs * distance;
    sum_yy_ += distance * distance;
  }

  // The most signs at which a slot may still be nearer than this.
  double signs_for(double distance) const {
    const double xx = sum_xx_ - sum_x_ * sum_x_ / count_;
    const double xy = sum_xy_ - sum_x_ * sum_y_ / count_;
    const double yy = sum_yy_ - sum_y_ * sum_y_ / count_;
    if (!(xx > 0 && xy > 0) || std::isinf(distance)) return std::numeric_limits<double>::infinity();
    const double slope = xy / xx;
    const double deviation = std::sqrt(std::max(0.0, yy - slope * xy) / count_);
    return (sum_x_ + (distance * count_ - sum_y_) / slope) / count_ + deviations * deviation / slope;
  }

 private:
  double count_ = 0;
  double sum_x_ = 0, sum_y_ = 0, sum_xx_ = 0, sum_xy_ = 0, sum_yy_ = 0;
};

}  // namespace

std::vector<Neighbour> sign_scan(const Vectors& vectors, const Vectors::Query& query,
                                 std::span<const std::uint32_t> slots, std::size_t count) {
  thread_local std::vector<std::uint16_t> signs;
  signs.resize(slots.size());
  // Sign distances are small whole numbers, so counting them sorts them.
  std::vector<std::uint32_t> counts(vectors.layout().sign_words * 64 + 1, 0);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if (i + ahead < slots.size()) vectors.prefetch_signs(slots[i + ahead]);
    signs[i] = static_cast<std::uint16_t>(vectors.sign_distance(query, slots[i]));
    ++counts[signs[i]];
  }
  NearestCodes near(vectors, query, count);
  Line line;
  std::size_t compared = 0;
  std::vector<std::uint32_t> ordered;  // slots of the next few numbers of signs
  std::vector<std::uint16_t> ordered_signs;
  std::size_t wanted = first_part * count;
  double most = std::numeric_limits<double>::infinity();
  for (std::size_t begin = 0, end = 0; end < counts.size() && static_cast<double>(begin) <= most;
       begin = end) {
    std::vector<std::size_t> places;  // of the next slot with begin + i signs
    std::size_t added = 0;
    for (; end < counts.size() && added < wanted; added += counts[end++]) places.push_back(added);
    ordered.resize(added);
    ordered_signs.resize(added);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if (signs[i] < begin || signs[i] >= end) continue;
      const std::size_t place = places[signs[i] - begin]++;
      ordered[place] = slots[i];
      ordered_signs[place] = signs[i];
    }
    for (std::size_t i = 0; i < added && static_cast<double>(ordered_signs[i]) <= most; i += step) {
      const auto next = std::span(ordered).subspan(i, std::min(step, added - i));
      near.compare(next, [&](std::size_t k, float distance) {
        line.learn(static_cast<double>(ordered_signs[i + k]), static_cast<double>(distance));
      });
      compared += next.size();
      most = line.signs_for(static_cast<double>(near.farthest()));
    }
    wanted = growth * compared;
  }
  return near.take();
}

}  // namespace actionhist
