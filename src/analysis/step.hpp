// An action as it looked at a moment: an outcome that came later is not visible. Internal to analysis/.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "analysis/trace_digest.hpp"

namespace actionhist {

struct Step {
  const TraceDigest* digest = nullptr;
  const Trace* trace = nullptr;     // of the digest
  const TypeFacts* type = nullptr;  // of the digest
  std::string_view resource;        // key of the resource; empty when it is not known well enough
  int place = 0;                    // the same number for the same resource, of one scene
  TimePoint at{};
  TimePoint done{};  // its end, or `at` while it runs
  Status status = Status::pending;
  bool mutating = true;
  bool candidate = false;
  std::optional<double> score;  // effectiveness, if it was assessed

  bool ended() const { return terminal(status); }
  bool began() const { return digest->began(status); }
  bool counted() const { return digest->counted(status); }
  bool same_type(const Step& other) const { return type == other.type || type->plain == other.type->plain; }
  bool same_family(const Step& other) const {
    return type == other.type || type->family == other.type->family;
  }
};

using Steps = std::vector<const Step*>;

}  // namespace actionhist
