// The answer to a proposed action. A refusal is an expected answer, not an error.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/detection.hpp>
#include <actionhist/recommendation.hpp>

namespace actionhist {

enum class Decision { allowed, blocked, cooling, escalate, alternative };

std::string_view to_string(Decision decision) noexcept;

struct Verdict {
  Decision decision = Decision::allowed;
  // The same action_id was decided before, in the same way: by this agent, whose answer was lost, or by another. Whoever
  // lets start() tell who begins it does an allowed action once.
  bool repeated = false;
  // What was stored. Absent when refused, for check(), and when OnUnavailable::allow let pass what could not be stored.
  std::optional<Trace> trace;
  std::vector<Detection> detections;          // that refuse it, strongest first
  std::vector<Detection> shadowed;            // that would refuse it, if their pattern were not only tried
  bool overridden = false;                    // refused by `detections`, and allowed by somebody all the same
  std::optional<Recommendation> alternative;  // what to do instead, when the decision is so
  std::vector<std::string> not_evaluated;     // "cascading-failure: no alert events", …, for people
  std::optional<TimePoint> retry_after;       // when a cooling period ends
  std::string reason;                         // one sentence for people

  bool allowed() const noexcept { return decision == Decision::allowed; }
};

std::string to_json(const Verdict& verdict);

}  // namespace actionhist
