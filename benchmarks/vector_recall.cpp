#include "vector_recall.hpp"

#include <algorithm>
#include <set>

#include <time.h>

namespace actionhist::benchmark {
namespace {

constexpr std::size_t widths[] = {10,  14,  18,  24,  32,  40,  52,  64,  80,  100,
                                  128, 160, 200, 256, 320, 400, 512, 640, 800, 1024};

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

}  // namespace

double seconds_since(Steady::time_point begin) {
  return std::chrono::duration<double>(Steady::now() - begin).count();
}

Point measure(VectorPeer& peer, const VectorSet& queries, const Truth& truth, const Passes& passes,
              std::size_t limit) {
  Point point;
  point.fewest = nearest_wanted;
  double found = 0;
  double owed = 0;
  const std::size_t count = std::min(limit, queries.size());
  const double begin = processor_seconds();
  std::vector<std::vector<std::uint32_t>> answers;
  for (std::size_t q = 0; q < count; ++q)
    answers.push_back(peer.search(queries.at(q), nearest_wanted, passes));
  point.rate = static_cast<double>(count) / (processor_seconds() - begin);
  for (std::size_t q = 0; q < count; ++q) {
    const std::set<std::uint32_t> got(answers[q].begin(), answers[q].end());
    for (const std::uint32_t row : truth[q]) found += static_cast<double>(got.count(row));
    owed += static_cast<double>(truth[q].size());
    if (truth[q].size() == nearest_wanted) point.fewest = std::min(point.fewest, answers[q].size());
  }
  point.recall = owed > 0 ? found / owed : 1;
  return point;
}

std::optional<std::size_t> width_for(VectorPeer& peer, const VectorSet& queries, const Truth& truth,
                                     const Passes& passes, double recall, std::size_t limit) {
  for (const std::size_t width : widths) {
    peer.set_width(width);
    if (measure(peer, queries, truth, passes, limit).recall >= recall) return width;
  }
  return std::nullopt;
}

}  // namespace actionhist::benchmark
