// An alarm for a rate of success that has fallen, raised as soon as the evidence suffices (Page 1954).
// Belongs to one thread.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace actionhist {

class Cusum {
 public:
  // Watches for a fall of the rate from `usual` to `fallen`; the alarm comes when the log-likelihood ratio
  // of the two has grown by `height` from its lowest point. Rates are kept off 0 and 1, where a single
  // outcome would decide. REQUIRES: fallen < usual.
  Cusum(double usual, double fallen, double height = 4) : height_(height) {
    const double p0 = std::clamp(usual, .01, .99);
    const double p1 = std::clamp(fallen, .005, p0 - .005);
    success_ = std::log(p1 / p0);
    failure_ = std::log((1 - p1) / (1 - p0));
  }

  // Adds outcomes that came together. True while the alarm stands.
  bool add(std::int64_t successes, std::int64_t failures) {
    value_ = std::max(
        0., value_ + static_cast<double>(successes) * success_ + static_cast<double>(failures) * failure_);
    return alarm();
  }

  bool alarm() const { return value_ >= height_; }
  double value() const { return value_; }

 private:
  double height_;
  double success_ = 0;
  double failure_ = 0;
  double value_ = 0;
};

}  // namespace actionhist
