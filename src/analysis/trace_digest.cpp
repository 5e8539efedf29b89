#include "analysis/trace_digest.hpp"

#include <fmt/format.h>

#include "analysis/fingerprint.hpp"
#include "analysis/name_memory.hpp"
#include "analysis/verbs.hpp"

namespace actionhist {
namespace {

TypeFacts read_type(std::string_view type) {
  TypeFacts facts;
  facts.plain = plain_type(type);
  facts.family = family(type);
  facts.direction = direction_of(type);
  facts.scales = facts.family == "scale";
  facts.mutating = effect_of(type) == Effect::mutating;
  facts.disruptive = disruptive(type);
  facts.polling = polling(type);
  return facts;
}

std::shared_ptr<const TypeFacts> facts_of(std::string_view type) {
  thread_local NameMemory<TypeFacts> types;
  return types.find(type, read_type);
}

std::string name_key_of(const Trace& trace) {
  const Resource& resource = trace.resource;
  // A kind without a name would take many resources for one.
  if (!trace.resource_id.empty() || resource.name.empty()) return {};
  return fmt::format("{}/{}/{}/{}", resource.cluster, resource.namespace_, resource.kind, resource.name);
}

TimePoint end_of(const Trace& trace) {
  const Outcome& outcome = trace.outcome;
  if (!terminal(outcome.status)) return trace.time();
  if (outcome.execution_end_time) return *outcome.execution_end_time;
  return trace.time() + std::chrono::milliseconds(outcome.execution_duration_ms.value_or(0));
}

bool was_started(const Outcome& outcome) {
  return outcome.execution_start_time || !outcome.resource_state_after.absent() ||
         !outcome.post_spec_hash.empty();
}

// True if the assessment says so: {"alert_resolved": true}. The text of a Json is canonical.
bool criterion(const Trace& trace, std::string_view member) {
  return trace.outcome.effectiveness_criteria.text().find(member) != std::string::npos;
}

bool same_state(const Trace& trace) {
  const Outcome& outcome = trace.outcome;
  if (!trace.pre_spec_hash.empty() && !outcome.post_spec_hash.empty()) {
    return trace.pre_spec_hash == outcome.post_spec_hash;
  }
  return !trace.resource_state_before.absent() && trace.resource_state_before == outcome.resource_state_after;
}

}  // namespace

TraceDigest::TraceDigest(const Trace& given)
    : trace(given),
      type(facts_of(trace.action_type)),
      at(trace.time()),
      end(end_of(trace)),
      assessed_at(trace.outcome.effectiveness_assessed_at),
      score(trace.outcome.effectiveness_score),
      status(trace.outcome.status),
      mutating(trace.effect ? *trace.effect == Effect::mutating : type->mutating),
      started(was_started(trace.outcome)),
      drifted(criterion(trace, "\"spec_drift\":true")),
      alert_resolved(criterion(trace, "\"alert_resolved\":true")),
      state_unchanged(same_state(trace)),
      before(read_leaves(trace.resource_state_before)),
      after(read_leaves(terminal(trace.outcome.status) ? trace.outcome.resource_state_after : Json())),
      parameters(read_leaves(trace.action_parameters)),
      name_key_(name_key_of(trace)) {
  resource = trace.resource_id.empty() ? name_key_ : trace.resource_id;
}

const std::string& TraceDigest::parameters_form() const {
  std::call_once(once_, [this] { parameters_form_ = normal_form(trace.action_parameters); });
  return parameters_form_;
}

}  // namespace actionhist
