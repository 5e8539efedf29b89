#include "analysis/scene.hpp"

#include <algorithm>

namespace actionhist {

Scene::Scene(const Evidence& evidence, TimePoint as_of) : evidence_(evidence), as_of_(as_of) {
  const auto past = evidence.past.digests();
  const auto end = std::ranges::upper_bound(past, as_of, {}, &TraceDigest::at);
  steps_.reserve(static_cast<std::size_t>(end - past.begin()) + 1);
  for (auto digest = past.begin(); digest != end; ++digest) add(**digest, false);
  if (!evidence.candidate) return;
  add(evidence.candidate_digest ? *evidence.candidate_digest : proposed_.emplace(*evidence.candidate), true);
}

void Scene::add(const TraceDigest& digest, bool candidate) {
  Step step;
  step.digest = &digest;
  step.trace = &digest.trace;
  step.type = digest.type.get();
  step.resource = digest.resource;
  step.at = digest.at;
  step.done = digest.end;
  step.status = digest.status;
  // It ended later than the moment to judge: then it was still running.
  if (terminal(step.status) && step.done > as_of_) {
    step.status = Status::executing;
    step.done = step.at;
  }
  step.mutating = digest.mutating;
  step.candidate = candidate;
  if (!digest.assessed_at || *digest.assessed_at <= as_of_) step.score = digest.score;
  // A proposal would happen now, whatever the clock of its agent says.
  if (candidate) step.at = step.done = as_of_;
  if (!steps_.empty() && steps_.back().resource == step.resource) {
    step.place = steps_.back().place;
  } else {
    step.place = places_.try_emplace(step.resource, static_cast<int>(places_.size())).first->second;
  }
  steps_.push_back(step);
}

const Step* Scene::candidate() const {
  return !steps_.empty() && steps_.back().candidate ? &steps_.back() : nullptr;
}

const Movements& Scene::movements_of(const Steps& steps) {
  if (moved_ != steps || moved_.empty()) {
    movements_ = movements(steps);
    moved_ = steps;
  }
  return movements_;
}

}  // namespace actionhist
