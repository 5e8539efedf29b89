#include "analysis/window.hpp"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "analysis/verbs.hpp"

namespace actionhist {
namespace {

Step step_of(const Trace& trace, TimePoint as_of) {
  Step step;
  step.trace = &trace;
  step.at = trace.time();
  step.done = step.at;
  step.status = trace.outcome.status;
  if (terminal(step.status)) {
    if (trace.outcome.execution_end_time) {
      step.done = *trace.outcome.execution_end_time;
    } else if (trace.outcome.execution_duration_ms) {
      step.done = step.at + std::chrono::milliseconds(*trace.outcome.execution_duration_ms);
    }
    // It ended later than the moment to judge: then it was still running.
    if (step.done > as_of) {
      step.status = Status::executing;
      step.done = step.at;
    }
  }
  const auto assessed_at = trace.outcome.effectiveness_assessed_at;
  if (!assessed_at || *assessed_at <= as_of) step.score = trace.outcome.effectiveness_score;
  return step;
}

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

// Reading a name costs more than all else that is done with an action, and an agent has few types.
std::shared_ptr<const TypeFacts> remembered_facts(std::string_view type) {
  constexpr std::size_t most = 4096;
  thread_local std::unordered_map<std::string, std::shared_ptr<const TypeFacts>, TextHash, std::equal_to<>>
      known;
  if (const auto found = known.find(type); found != known.end()) return found->second;
  if (known.size() == most) known.clear();
  auto facts = std::make_shared<const TypeFacts>(TypeFacts{
      plain_type(type), family(type), effect_of(type) == Effect::mutating, disruptive(type), polling(type)});
  return known.emplace(type, std::move(facts)).first->second;
}

}  // namespace

Window::Window(const Pattern& pattern, const Evidence& evidence, TimePoint as_of,
               std::chrono::microseconds length)
    : pattern_(pattern), evidence_(evidence), as_of_(as_of), length_(length) {
  const std::span<const Trace> past = evidence.traces;
  [[maybe_unused]] const auto earlier = [](const Trace& a, const Trace& b) { return a.time() < b.time(); };
  assert(std::is_sorted(past.begin(), past.end(), earlier));
  auto trace = std::partition_point(past.begin(), past.end(),
                                    [&](const Trace& other) { return other.time() < as_of - length; });
  steps_.reserve(static_cast<std::size_t>(past.end() - trace) + 1);
  for (; trace != past.end() && trace->time() <= as_of; ++trace) add(*trace, false);
  if (evidence.candidate) add(*evidence.candidate, true);
}

void Window::add(const Trace& trace, bool candidate) {
  if (!in_scope(pattern_, trace)) return;
  Step step = step_of(trace, as_of_);
  step.type = &type_facts(trace.action_type);
  step.mutating = trace.effect ? *trace.effect == Effect::mutating : step.type->mutating;
  step.resource = resource_key(trace);
  step.candidate = candidate;
  // A proposal would happen now, whatever the clock of its agent says.
  if (candidate && !steps_.empty()) step.at = step.done = std::max(step.at, steps_.back().at);
  steps_.push_back(step);
}

const Step* Window::candidate() const {
  return !steps_.empty() && steps_.back().candidate ? &steps_.back() : nullptr;
}

std::string_view Window::resource_key(const Trace& trace) {
  if (!trace.resource_id.empty()) return trace.resource_id;
  // A kind without a name would take many resources for one.
  if (trace.resource.name.empty()) return {};
  const Resource& resource = trace.resource;
  keys_.push_back(
      fmt::format("{}/{}/{}/{}", resource.cluster, resource.namespace_, resource.kind, resource.name));
  return keys_.back();
}

const TypeFacts& Window::type_facts(std::string_view action_type) {
  return *types_.emplace_back(remembered_facts(action_type));
}

std::vector<std::pair<std::string_view, Steps>> Window::by_resource() const {
  std::vector<std::pair<std::string_view, Steps>> groups;
  for (const Step& step : steps_) {
    if (!step.mutating || step.resource.empty()) continue;
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& other) { return other.first == step.resource; });
    if (group == groups.end()) group = groups.insert(groups.end(), {step.resource, {}});
    group->second.push_back(&step);
  }
  return groups;
}

}  // namespace actionhist
