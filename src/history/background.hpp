// How like the cases of a memory questions of another world are, by a model's cosine: as like as any two texts, which is
// .1 for one model and .7 for another. What is known of a situation is more than that.
// A Background may be used from any thread at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <mutex>
#include <optional>

namespace actionhist {

struct Index;

class Background {
 public:
  // The cosine with the best case, in the upper quartile over a dozen questions of cooking, travel and the like; they are
  // asked again when the index has twice or half as many rows. 0 without a model; 1, above which nothing is, while the
  // model fails, which is asked again after a minute.
  double cosine(const Index& index) const;

 private:
  struct Measured {
    std::size_t rows = 0;
    double cosine = 0;
  };

  mutable std::mutex mutex_;
  // All below is guarded by mutex_.
  mutable std::optional<Measured> measured_;
  mutable std::chrono::steady_clock::time_point not_before_{};  // after a failure
};

}  // namespace actionhist
