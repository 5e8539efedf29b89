// What the guard found, and how that ended.
#include <algorithm>

#include <fmt/format.h>

#include "analysis/oscillation.hpp"
#include "core/refuse.hpp"
#include "history/known_resource.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

// A pattern that does not come back for this long after its prevention is taken for prevented.
constexpr auto recurrence_span = 24h;

// As detections name it.
Scope scope_of(const std::string& name) {
  const auto colon = name.find(':');
  const std::string kind = name.substr(0, colon);
  const std::string key = colon == std::string::npos ? std::string() : name.substr(colon + 1);
  if (kind == "correlation") return {ScopeKind::correlation, key};
  if (kind == "session") return {ScopeKind::session, key};
  return {ScopeKind::resource, key};
}

// A stored detection that nobody else changes until the transaction ends: refusals are counted under its scope's
// lock. REQUIRES: inside transaction().
std::optional<Detection> locked_detection(Repository& repository, std::string_view detection_id) {
  const auto seen = repository.patterns().detection(detection_id);
  if (!seen) return std::nullopt;
  const Scope scope = scope_of(seen->scope);
  repository.actions().lock({&scope, 1});
  return repository.patterns().detection(detection_id);
}

// Whether and how a detection ends at `now`; one transaction a detection.
class Settling {
 public:
  Settling(Repository& repository, TimePoint now) : repository_(repository), now_(now) {}

  void settle(const Detection& seen) {
    repository_.transaction([&] {
      // Somebody may have been faster.
      auto stored = locked_detection(repository_, seen.detection_id);
      if (!stored) return;
      Detection detection = std::move(*stored);
      const bool over = ended(detection);
      if (judged(detection) || over) repository_.patterns().put(detection);
    });
  }

  Settlement result() const { return result_; }

 private:
  bool ended(Detection& detection) {
    if (detection.resolved_at) return false;
    // One that was found afterwards refuses nothing, and is over as if it did.
    const TimePoint over = detection.in_force_until.value_or(detection.last_at + clear_after(detection));
    if (over <= now_) {
      detection.resolved_at = over;
      detection.resolution_method = "timeout";
      ++result_.resolved_by_timeout;
      return true;
    }
    const auto alert_end = end_of_alert(detection);
    if (!alert_end) return false;
    detection.resolved_at = *alert_end;
    detection.resolution_method = "automatic";
    detection.resolution_notes = "the alert of its actions ended";
    ++result_.resolved_by_evidence;
    return true;
  }

  // When the alert that the actions answered ended for good, if it did.
  std::optional<TimePoint> end_of_alert(const Detection& detection) {
    std::string fingerprint;
    for (const Trace& trace : repository_.actions().get(detection.action_ids)) {
      if (!trace.alert_fingerprint.empty()) fingerprint = trace.alert_fingerprint;
    }
    if (fingerprint.empty()) return std::nullopt;
    const auto end =
        repository_.resources().alert_end(fingerprint, detection.first_at - recurrence_span, now_);
    const bool over = end && *end >= detection.last_at && *end <= now_;
    return over ? end : std::nullopt;
  }

  bool judged(Detection& detection) {
    const bool prevented = detection.prevention && !detection.shadow && detection.overrides == 0 &&
                           detection.refusals > 0 && detection.resolved_at;
    if (!prevented || detection.prevention_successful || now_ < detection.as_of + recurrence_span)
      return false;
    const auto after = repository_.patterns().detections({.pattern_id = detection.pattern_id,
                                                          .scope = detection.scope,
                                                          .since = detection.as_of,
                                                          .until = detection.as_of + recurrence_span,
                                                          .limit = 2});
    detection.prevention_successful = std::ranges::all_of(
        after, [&](const Detection& other) { return other.detection_id == detection.detection_id; });
    ++result_.judged;
    return true;
  }

  Repository& repository_;
  TimePoint now_;
  Settlement result_;
};

}  // namespace

std::optional<Detection> History::detection(std::string_view detection_id) {
  return alive(state_).repository->patterns().detection(detection_id);
}

std::vector<Detection> History::detections(const DetectionQuery& query) {
  State& state = alive(state_);
  require_between("limit", query.limit, 1, 10'000);
  Repository& repository = *state.repository;
  DetectionQuery wanted = query;
  if (query.resource != Resource{}) {
    if (!query.scope.empty()) refuse("scope", "is not needed where the resource is named");
    const Resource resource = required_resource(repository, query.resource);
    wanted.scope = to_string(Scope{ScopeKind::resource, resource_id(repository.tenant(), resource)});
  } else if (!query.scope.empty() && to_string(scope_of(query.scope)) != query.scope) {
    refuse("scope", "must be resource:ID, correlation:ID or session:ID, as detections have it");
  }
  return repository.patterns().detections(wanted);
}

Detection History::resolve(std::string_view detection_id, const Resolution& given) {
  State& state = alive(state_);
  validate_id(detection_id, "detection_id");
  const std::string& method = given.method;
  if (method != "timeout" && method != "manual-intervention" && method != "automatic") {
    refuse("method", "is none of timeout, manual-intervention, automatic");
  }
  Json::parse(Json(given.notes).text(), "notes");  // UTF-8 without NUL, and not too long
  Resolution resolution = given;
  state.redactor.redact(resolution.notes);
  Detection resolved;
  state.repository->transaction([&] {
    auto stored = locked_detection(*state.repository, detection_id);
    if (!stored) {
      throw Error(ErrorCode::not_found, fmt::format("detection_id: \"{}\" is not stored", detection_id));
    }
    resolved = std::move(*stored);
    if (!resolved.resolved_at) resolved.resolved_at = state.now();
    resolved.resolution_method = resolution.method;
    resolved.resolution_notes = resolution.notes;
    resolved.false_positive = resolution.false_positive;
    state.repository->patterns().put(resolved);
    state.repository->learning().refresh_pattern_rates();
  });
  return resolved;
}

Settlement History::settle(int limit) {
  State& state = alive(state_);
  require_between("limit", limit, 1, 100'000);
  return state.settle(limit);
}

Settlement History::State::settle(int limit) {
  const TimePoint at = now();
  Settling settling(*repository, at);
  for (const Detection& detection : repository->learning().unsettled(at, at - recurrence_span, limit)) {
    settling.settle(detection);
  }
  const Settlement done = settling.result();
  if (done.resolved_by_timeout + done.resolved_by_evidence + done.judged > 0) {
    repository->learning().refresh_pattern_rates();
  }
  return done;
}

}  // namespace actionhist
