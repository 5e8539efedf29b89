// How many texts are embedded at once: so many that a call of the model ends well within a worker's lease, which is
// renewed between two. A model may take microseconds for a text, or a server seconds.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace actionhist {

class EmbeddingPace {
 public:
  static constexpr std::size_t most_texts = 256;
  static constexpr std::chrono::duration<double> longest_call{5};
  static constexpr std::chrono::seconds lease{30};

  std::size_t texts() const noexcept { return texts_; }

  // Learns from a call: twice as many are tried after each that was short enough.
  // REQUIRES: texts > 0.
  void took(std::size_t texts, std::chrono::duration<double> time) noexcept {
    const double fit = longest_call.count() * static_cast<double>(texts) / std::max(time.count(), 1e-9);
    const auto most = static_cast<double>(std::min(2 * texts_, most_texts));
    texts_ = static_cast<std::size_t>(std::clamp(fit, 1., most));
  }

 private:
  std::size_t texts_ = 32;
};

}  // namespace actionhist
