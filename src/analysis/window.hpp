// What one pattern sees: the actions of its scope inside its window, with what was known about them at the
// moment to judge. Belongs to one call of detect() and is used by one thread.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/oscillation.hpp"

namespace actionhist {

// What the name of an action type tells.
struct TypeFacts {
  std::string plain;   // plain_type()
  std::string family;  // family()
  bool mutating = true;
  bool disruptive = false;
  bool polling = false;
};

// An action as it looked at `as_of`: an outcome that came later is not visible.
struct Step {
  const Trace* trace = nullptr;
  const TypeFacts* type = nullptr;
  std::string_view resource;  // key of the resource; empty when it is not known well enough
  TimePoint at{};
  TimePoint done{};  // its end, or `at` while it runs
  Status status = Status::pending;
  bool mutating = true;
  bool candidate = false;
  std::optional<double> score;  // effectiveness, if it was assessed

  bool ended() const { return terminal(status); }
  bool counted() const {
    return status != Status::failed && status != Status::cancelled && status != Status::escalated;
  }
};

using Steps = std::vector<const Step*>;

class Window {
 public:
  Window(const Pattern& pattern, const Evidence& evidence, TimePoint as_of, std::chrono::microseconds length);

  const Pattern& pattern() const { return pattern_; }
  const Evidence& evidence() const { return evidence_; }
  TimePoint as_of() const { return as_of_; }
  std::chrono::microseconds length() const { return length_; }

  std::span<const Step> steps() const { return steps_; }

  // The proposed action, or nullptr.
  const Step* candidate() const;

  // The mutating steps of each known resource, oldest first; also those that failed or were cancelled.
  std::vector<std::pair<std::string_view, Steps>> by_resource() const;

 private:
  void add(const Trace& trace, bool candidate);
  std::string_view resource_key(const Trace& trace);
  const TypeFacts& type_facts(std::string_view action_type);

  const Pattern& pattern_;
  const Evidence& evidence_;
  TimePoint as_of_;
  std::chrono::microseconds length_;
  std::vector<Step> steps_;
  std::deque<std::string> keys_;                         // of resources without an id
  std::vector<std::shared_ptr<const TypeFacts>> types_;  // that the steps point at
};

}  // namespace actionhist
