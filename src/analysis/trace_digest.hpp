// All that detectors read from one trace, whatever the pattern and the moment: it is read once for each trace, and
// judging only compares. Immutable; may be used from any thread at once.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <actionhist/action.hpp>

#include "analysis/leaves.hpp"

namespace actionhist {

// What the name of an action type tells.
struct TypeFacts {
  std::string plain;    // plain_type()
  std::string family;   // family()
  int direction = 0;    // direction_of()
  bool scales = false;  // its family is that of scaling
  bool mutating = true;
  bool disruptive = false;
  bool polling = false;
};

struct TraceDigest {
  // `trace` must outlive it.
  explicit TraceDigest(const Trace& trace);

  TraceDigest(const TraceDigest&) = delete;
  TraceDigest& operator=(const TraceDigest&) = delete;

  // At a moment when its status is this one: false for what was called off before it could change anything, at which no
  // rule looks.
  bool began(Status then) const {
    return started || (then != Status::cancelled && then != Status::escalated);
  }
  // The same: true if it counts as having changed something. What failed did not.
  bool counted(Status then) const { return then != Status::failed && began(then); }

  // The normal form of the parameters, made when it is first asked for.
  const std::string& parameters_form() const;

  const Trace& trace;
  // What each look at an action needs comes first, and together.
  std::shared_ptr<const TypeFacts> type;
  std::string_view resource;  // key of the resource; empty when it is not known well enough
  TimePoint at;
  TimePoint end;  // `at` if it has not ended
  std::optional<TimePoint> assessed_at;
  std::optional<double> score;  // effectiveness
  Status status;
  bool mutating;
  bool started;  // it was begun, or left a state

  // What the outcome says: the assessment, and whether the state is as before.
  bool drifted;
  bool alert_resolved;
  bool state_unchanged;

  std::shared_ptr<const JsonLeaves> before;
  std::shared_ptr<const JsonLeaves> after;  // empty if it has not ended
  std::shared_ptr<const JsonLeaves> parameters;

 private:
  std::string name_key_;  // stands for the id of a resource that has none
  mutable std::once_flag once_;
  mutable std::string parameters_form_;
};

}  // namespace actionhist
