#include "semantic/planner.hpp"

#include <algorithm>
#include <cmath>

namespace actionhist {
namespace {

// Measured with 384 and 1,536 dimensions, in distances of codes: what one slot costs.
constexpr double full_cost = 2.5;
constexpr double sign_cost = 0.35;
constexpr double codes_by_signs = 12;  // that a scan by signs compares for each that it keeps
// A step of a walk fetches what lies anywhere, that of a scan what lies next.
constexpr double walk_step_cost = 1.6;
constexpr double two_hop_cost = 2.2;

constexpr std::size_t few_rows = 300;       // so few are compared in full whatever the model says
constexpr double least_result_share = 0.4;  // above it most links lead to a match anyway

// A walk where `share` of the slots match, by those that were measured where fewer and where more do.
Calibration::Walk between(double share, double fewer, const Calibration::Walk& with_fewer, double more,
                          const Calibration::Walk& with_more) {
  const double part = std::clamp(std::log(share / fewer) / std::log(more / fewer), 0.0, 1.0);
  const auto mixed = [part](double a, double b) { return a + part * (b - a); };
  return {static_cast<std::size_t>(
              std::ceil(mixed(static_cast<double>(with_fewer.width), static_cast<double>(with_more.width)))),
          mixed(with_fewer.distances, with_more.distances), with_fewer.reaches && with_more.reaches};
}

}  // namespace

std::string_view to_string(Route route) {
  switch (route) {
    case Route::full_scan: return "full scan";
    case Route::code_scan: return "code scan";
    case Route::sign_scan: return "sign scan";
    case Route::walk: return "walk";
    case Route::result_walk: return "filtered walk";
    case Route::two_hop_walk: return "two-hop walk";
    default: return "nothing";
  }
}

bool plausible(const Calibration& calibration) {
  constexpr double widest = 10'000;
  const auto fits = [](const Calibration::Walk& walk) {
    return walk.width >= 1 && static_cast<double>(walk.width) <= widest && walk.distances >= 0 &&
           std::isfinite(walk.distances);
  };
  return fits(calibration.walk) && fits(calibration.result_walk) &&
         std::ranges::all_of(calibration.two_hop_walks, fits) && calibration.code_ratio >= 1 &&
         calibration.code_ratio <= widest;
}

std::size_t kept_by_codes(std::size_t count, const Calibration& calibration) {
  return static_cast<std::size_t>(std::ceil(calibration.code_ratio * static_cast<double>(count))) + 8;
}

Choice choose(const Situation& now, const Calibration& calibration) {
  if (now.matching == 0) return {Route::nothing, "no row matches"};
  const auto matching = static_cast<double>(now.matching);

  Choice scan{Route::code_scan, "scanning the matching rows is cheapest"};
  const auto kept = static_cast<double>(kept_by_codes(now.count, calibration));
  double scan_cost = matching + full_cost * kept;
  if (now.signs) {
    const double by_signs = sign_cost * matching + codes_by_signs * kept;
    if (by_signs < scan_cost) {
      scan.route = Route::sign_scan;
      scan_cost = by_signs;
    }
  }
  if (now.matching <= std::max(few_rows, now.count)) {
    scan.route = Route::full_scan;
    scan_cost = full_cost * matching;
    scan.why = "few rows match";
  }
  if (now.linked == 0) {
    scan.why = "there is no graph yet";
    return scan;
  }
  if (scan.route == Route::full_scan) return scan;
  if (now.uneven) {
    scan.why = "the graph links what is near by other weights";
    return scan;
  }

  Calibration::Walk measured = calibration.walk;
  Choice walk{Route::walk, "the graph leads to the nearest rows at once"};
  if (now.filtered) {
    const double share = std::min(1.0, matching / static_cast<double>(now.linked));
    if (share < Calibration::two_hop_shares[0]) {
      scan.why = "too few rows match for the graph to lead to them";
      return scan;
    }
    if (now.follows) {
      scan.why = "the filter follows the vectors, where graphs lose their way";
      return scan;
    }
    if (share >= least_result_share) {
      walk = {Route::result_walk, "most rows match, so the walk meets enough of them"};
      measured = between(share, Calibration::result_share, calibration.result_walk, 1, calibration.walk);
      measured.distances *= std::max(1.0, Calibration::result_share / share);
    } else {
      walk = {Route::two_hop_walk, "the matching rows still hang together in the graph"};
      const auto& [few, more] = Calibration::two_hop_shares;
      measured = between(share, few, calibration.two_hop_walks[0], more, calibration.two_hop_walks[1]);
      // What does not match is looked through, at a cost beside the distances.
      measured.distances *= two_hop_cost;
    }
    if (!measured.reaches) {
      scan.why = "a walk missed too much when the graph was tried";
      return scan;
    }
  }
  // More than ten wanted need so much more width. Who sets it may have it narrower than what finds .99 of the rows.
  const std::size_t beyond = std::max(now.count, Calibration::nearest_wanted) - Calibration::nearest_wanted;
  const double calibrated =
      static_cast<double>(measured.width) + std::ceil(calibration.code_ratio * static_cast<double>(beyond));
  walk.width = now.width > 0 ? std::max(now.width, now.count) : static_cast<std::size_t>(calibrated);
  const double wider = static_cast<double>(walk.width) / static_cast<double>(measured.width);
  const double walk_cost = walk_step_cost * measured.distances * std::pow(wider, 0.8);
  walk.budget = now.matching;
  return walk_cost < scan_cost ? walk : scan;
}

}  // namespace actionhist
