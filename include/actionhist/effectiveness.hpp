// How well an action worked, from the parts that could be assessed.
#pragma once

#include <optional>
#include <string>

#include <actionhist/json.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

// Each part is in [0, 1]; a part that was not assessed is absent and its weight goes to the others.
struct Assessment {
  std::optional<double> health;      // weight .40: is the resource healthy?
  std::optional<double> alert;       // weight .35: did the alert end?
  std::optional<double> metrics;     // weight .25: did the target metric improve?
  std::optional<double> score;       // given as a whole instead of the parts
  Json criteria;                     // kept as effectiveness_criteria
  std::string method = "automated";  // automated, manual, ml-derived
  std::string notes;
  std::optional<TimePoint> assessed_at;  // the clock if absent
};

// Σ wᵢ·partᵢ / Σ wᵢ over the assessed parts, rounded to 1e-9; absent when nothing was assessed, never 0.
std::optional<double> effectiveness_score(const Assessment& assessment);

// {"health": 1, "alert": 0, "metrics": .8, "method": "manual", "notes": "…"}
Assessment parse_assessment(std::string_view json);

}  // namespace actionhist
