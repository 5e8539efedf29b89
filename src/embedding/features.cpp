#include "embedding/features.hpp"

#include <algorithm>
#include <string>
#include <vector>

#define XXH_INLINE_ALL  // a text has hundreds of short features; calls would cost more than the hashes
#include <xxhash.h>

#include "embedding/tokens.hpp"

namespace actionhist {
namespace {

constexpr std::uint64_t term_seed = 0;
constexpr std::uint64_t run_seed = 1;
constexpr std::size_t shortest_run = 3;
constexpr std::size_t longest_run = 5;

// Counts hashes, in the order in which they first came: sums must not depend on a table's layout.
class FeatureCounts {
 public:
  void add(std::uint64_t hash) {
    if (features_.size() * 2 >= slots_.size()) grow();
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      if (slots_[at] == 0) {
        features_.push_back({hash, 1});
        slots_[at] = static_cast<std::uint32_t>(features_.size());
        return;
      }
      Feature& feature = features_[slots_[at] - 1];
      if (feature.hash == hash) {
        ++feature.count;
        return;
      }
    }
  }

  const std::vector<Feature>& features() const { return features_; }

  void clear() {
    // One huge text must not leave its table behind in every thread.
    if (slots_.size() > 1 << 16) slots_ = {};
    std::fill(slots_.begin(), slots_.end(), 0);
    features_.clear();
  }

 private:
  void grow() {
    slots_.assign(std::max<std::size_t>(1024, slots_.size() * 2), 0);
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = 0; i < features_.size(); ++i) {
      std::size_t at = features_[i].hash & mask;
      while (slots_[at] != 0) at = (at + 1) & mask;
      slots_[at] = static_cast<std::uint32_t>(i + 1);
    }
  }

  std::vector<std::uint32_t> slots_;  // 1 + position in features_, 0 if free
  std::vector<Feature> features_;
};

void add_runs(std::string_view word, std::string& bracketed, std::vector<std::size_t>& starts,
              FeatureCounts& counts) {
  bracketed.assign(1, '<').append(word) += '>';
  starts.clear();
  for (std::size_t i = 0; i < bracketed.size(); ++i) {
    if ((static_cast<unsigned char>(bracketed[i]) & 0xc0) != 0x80) starts.push_back(i);
  }
  const std::size_t length = starts.size();
  starts.push_back(bracketed.size());
  for (std::size_t n = shortest_run; n <= longest_run; ++n) {
    for (std::size_t i = 0; i + n <= length; ++i) {
      counts.add(XXH3_64bits_withSeed(bracketed.data() + starts[i], starts[i + n] - starts[i], run_seed));
    }
  }
}

}  // namespace

std::span<const Feature> features_of(std::string_view text) {
  thread_local FeatureCounts counts;
  thread_local std::string bracketed;
  thread_local std::vector<std::size_t> starts;
  counts.clear();
  Tokenizer tokenizer(text);
  for (Token token; tokenizer.next(token);) {
    counts.add(XXH3_64bits_withSeed(token.term.data(), token.term.size(), term_seed));
    add_runs(token.word, bracketed, starts, counts);
  }
  return counts.features();
}

}  // namespace actionhist
