// Decides how the nearest rows are found: by scanning those that match or by walking the graph. Pure
// functions; the costs are distances of codes, the unit in which all was measured.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace actionhist {

enum class Route {
  nothing,      // no row matches
  full_scan,    // every match in full precision
  code_scan,    // by codes, the nearest again in full precision
  sign_scan,    // by signs, from the fewest that differ on by codes, of them the nearest in full precision
  walk,         // of the whole graph
  result_walk,  // of the whole graph, keeping what matches
  two_hop_walk  // over matching slots only, looking through one that does not match
};

std::string_view to_string(Route route);

// What was found out about the vectors when the graph was built, by comparing with exact answers.
struct Calibration {
  // A walk that finds .99 of the ten nearest, and what it costs.
  struct Walk {
    std::size_t width = 64;
    double distances = 2000;
    bool reaches = true;  // false: no width tried was enough
  };
  static constexpr std::size_t nearest_wanted = 10;
  // Of the slots that matched when filtered walks were measured.
  static constexpr double result_share = 0.5;
  static constexpr std::array<double, 2> two_hop_shares = {0.125, 0.25};

  std::size_t slots = 0;  // of the graph then; 0: nothing was measured yet
  Walk walk;              // of all slots
  Walk result_walk;
  std::array<Walk, 2> two_hop_walks;
  double code_ratio = 4;  // how many by code hold the k nearest, as a multiple of k
};

struct Situation {
  std::size_t linked = 0;    // slots in the graph
  std::size_t matching = 0;  // of all rows
  bool filtered = false;
  std::size_t count = 10;  // wanted
  std::size_t width = 0;   // of a walk, as asked for; 0: as calibrated
  bool signs = false;      // the slots have them, and enough
  bool follows = false;    // the filter follows the vectors: neighbours match together
  bool uneven = false;     // the parts count otherwise than for the graph, where they count alike
};

struct Choice {
  Route route = Route::nothing;
  std::string_view why;
  std::size_t width = 0;   // of a walk
  std::size_t budget = 0;  // of distances, after which a scan is cheaper
};

Choice choose(const Situation& situation, const Calibration& calibration);

// Whether calibrate() may have found this, or it is the default.
bool plausible(const Calibration& calibration);

// How many slots of a scan by codes hold the nearest `count`.
std::size_t kept_by_codes(std::size_t count, const Calibration& calibration);

}  // namespace actionhist
