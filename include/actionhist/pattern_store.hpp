// Patterns, and what they detected; a part of Repository, whose rules of threads and errors hold here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/detection.hpp>
#include <actionhist/guard_view.hpp>
#include <actionhist/pattern.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

class PatternStore {
 public:
  virtual ~PatternStore() = default;

  virtual std::vector<Pattern> patterns() = 0;
  // Nobody else changes a pattern until the transaction ends, so that one can be read and put back with a change. An
  // engine whose transactions come one after the other has nothing to do. REQUIRES: inside transaction().
  virtual void lock() {}
  virtual void put(const Pattern& pattern) = 0;
  virtual bool remove(std::string_view pattern_id) = 0;
  // Whether the tenant has got the shipped patterns, whatever it has kept of them. Marking it is true once only.
  virtual bool shipped() = 0;
  virtual bool mark_shipped(TimePoint now) = 0;

  // Stores a new detection (returning it with its id) or the changed state of one.
  virtual Detection put(const Detection& detection) = 0;
  // Detections of the scopes that are unresolved and in force at `now`; of all scopes when none is given.
  virtual std::vector<Detection> in_force(std::span<const Scope> scopes, TimePoint now) = 0;
  virtual std::optional<Detection> detection(std::string_view detection_id) = 0;
  // Those with as_of in [since, until), newest first. A resource is asked for by its scope: `resource` is not read.
  virtual std::vector<Detection> detections(const DetectionQuery& query) = 0;
};

}  // namespace actionhist
