#include "history/guard.hpp"

#include <algorithm>

#include <fmt/format.h>

#include <actionhist/error.hpp>

#include "analysis/guard_policy.hpp"
#include "analysis/oscillation.hpp"
#include "analysis/recommendation.hpp"
#include "analysis/thresholds.hpp"
#include "core/refuse.hpp"
#include "core/same_action.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kept_refused_ids = 16;
// So many readings in a row that needed less make the window as short as the last of them needs.
constexpr int patience = 64;
// The disruption budget compares with the week before, once this many actions fall into its hour. How surprising
// an alert is depends on that week too.
constexpr int budget_actions = 6;
constexpr auto budget_span = 1h;
constexpr auto baseline = std::chrono::hours{24 * 7};
// A cascade begins with an alert that fired before the window, as far back as most patterns look for one.
constexpr auto alert_lead = 30min;
// For an agent that takes a while from its thought to its proposal.
constexpr auto longest_delay = 10min;

std::chrono::minutes longest_window(std::span<const Pattern> patterns) {
  std::chrono::minutes longest{0};
  for (const Pattern& pattern : patterns) longest = std::max(longest, pattern.time_window);
  return longest;
}

// Stored at a time long ago, it would be outside the windows of those that come after it, and so of no pattern.
void refuse_late(const Trace& proposed, TimePoint now) {
  if (now - proposed.time() <= longest_delay) return;
  refuse(
      "action_timestamp",
      fmt::format("{} is more than {} min ago, it is {}; a proposal is of what is done next: leave its time "
                  "out, and record what was done",
                  format_time(proposed.time()), longest_delay.count(), format_time(now)));
}

// Allowed once more, an agent that names its actions by what they do would do them for ever.
void refuse_ended(const Trace& stored) {
  if (!terminal(stored.outcome.status)) return;
  throw Error(ErrorCode::conflict,
              fmt::format("action_id: \"{}\" is {} already; what is done again needs an id of its own",
                          stored.action_id, to_string(stored.outcome.status)));
}

Decision decision_of(Prevention prevention) {
  switch (prevention) {
    case Prevention::block_action: return Decision::blocked;
    case Prevention::escalate_human: return Decision::escalate;
    case Prevention::alternative_action: return Decision::alternative;
    default: return Decision::cooling;
  }
}

std::string reason_of(const Detection& detection, const Trace& proposed) {
  const Resource guarded = guarded_resource(proposed);
  // The calls of a language model's tools have no resource, but a correlation or session.
  const std::string place = guarded == Resource{} ? "in " + detection.scope : "on " + to_string(guarded);
  return fmt::format("{} would continue {} {}: {} actions in {} min, confidence {:.2f}", proposed.action_type,
                     to_string(detection.pattern_type), place, detection.action_ids.size(),
                     std::chrono::ceil<std::chrono::minutes>(detection.last_at - detection.first_at).count(),
                     detection.confidence);
}

void add_once(std::vector<std::string>& list, const std::vector<std::string>& items) {
  for (const std::string& item : items) {
    if (std::ranges::find(list, item) == list.end()) list.push_back(item);
  }
}

bool was_refused(const Detection& detection, const std::string& action_id) {
  return std::ranges::find(detection.refused_ids, action_id) != detection.refused_ids.end();
}

void note_refusal(Detection& detection, const std::string& action_id) {
  ++detection.refusals;
  detection.refused_ids.push_back(action_id);
  if (detection.refused_ids.size() > kept_refused_ids)
    detection.refused_ids.erase(detection.refused_ids.begin());
}

}  // namespace

std::chrono::minutes farther_alerts(std::span<const Pattern> patterns) {
  std::chrono::minutes farthest = alert_lead;
  for (const Pattern& pattern : patterns) {
    if (pattern.pattern_type != PatternType::cascading_failure || pattern.threshold_config.absent()) continue;
    farthest = std::max(
        farthest, std::chrono::ceil<std::chrono::minutes>(minutes(thresholds_of(pattern).edge_minutes)));
  }
  return farthest - alert_lead;
}

std::vector<Scope> scopes_of(const Action& action, const std::string& resource_id) {
  std::vector<Scope> scopes;
  if (!resource_id.empty()) scopes.push_back({ScopeKind::resource, resource_id});
  if (!action.correlation_id.empty()) scopes.push_back({ScopeKind::correlation, action.correlation_id});
  if (!action.session_id.empty()) scopes.push_back({ScopeKind::session, action.session_id});
  return scopes;
}

GuardView Guard::view(const Trace& proposed, std::vector<Scope> scopes, TimePoint now, bool lock) {
  GuardQuestion question{proposed.action_id, std::move(scopes), now};
  question.answered.fingerprint = proposed.alert_fingerprint;
  question.answered.severity = proposed.alert_severity;
  question.answered.resource.namespace_ = proposed.resource.namespace_;
  question.max_traces = most_judged;
  question.baseline = baseline;
  question.busy_span = budget_span;
  question.busy_actions = budget_actions - 1;
  while (true) {
    const auto window = window_.load();
    question.window = window;
    question.alerts = window + alert_lead;
    GuardView view = repository_.guard_view(question, lock);
    if (view.stored) return view;
    const auto needed = std::max(longest_window(view.patterns), view.policy.window.value_or(0min)) +
                        farther_alerts(view.patterns);
    // The longest may be that of one resource's policy, so it is kept while anybody still needs it.
    if (needed < window && ++unneeded_ < patience) return view;
    unneeded_ = 0;
    window_ = needed;
    if (needed <= window) return view;
  }
}

const Pattern* Guard::Case::pattern_of(const Detection& detection) const {
  const auto pattern = std::ranges::find(view.patterns, detection.pattern_id, &Pattern::pattern_id);
  return pattern == view.patterns.end() || !in_scope(*pattern, proposed) ? nullptr : &*pattern;
}

Verdict Guard::decide(const RecentTrace& candidate, TimePoint now, Asking asking) {
  const Trace& proposed = *candidate;
  Verdict verdict;
  const std::vector<Scope> scopes = scopes_of(proposed, proposed.resource_id);
  GuardView view = this->view(proposed, scopes, now, asking != Asking::check);
  if (view.stored) {
    refuse_another_action(proposed, *view.stored);
    refuse_ended(*view.stored);
    verdict.repeated = true;
    verdict.trace = std::move(view.stored);
    return verdict;
  }
  if (scopes.empty()) {
    verdict.not_evaluated.push_back("all: neither the resource nor a correlation or session is known");
    return verdict;
  }
  const Case one{proposed, digest_of(candidate), asking, view, verdict};
  if (refused_before(one)) return verdict;
  refuse_late(proposed, now);
  for (std::size_t i = 0; i < scopes.size(); ++i) judge(one, scopes[i], view.recent[i], now);
  uphold(one);
  suggest(verdict, proposed);
  if (asking == Asking::override_ && !verdict.detections.empty()) {
    verdict.decision = Decision::allowed;
    verdict.overridden = true;
  }
  return verdict;
}

bool Guard::refused_before(Case one) {
  if (one.asking == Asking::override_) return false;
  one.asking = Asking::check;
  for (const Detection& detection : one.view.in_force) {
    const Pattern* const pattern = one.pattern_of(detection);
    if (!was_refused(detection, one.proposed.action_id) || pattern == nullptr || pattern->shadow) continue;
    refuse(one, *pattern, detection);
    suggest(one.verdict, one.proposed);
    one.verdict.repeated = true;
    return true;
  }
  return false;
}

void Guard::judge(Case one, const Scope& scope, std::span<const RecentTrace> recent, TimePoint now) {
  const GuardView& view = one.view;
  // Agents' clocks differ: the proposal is judged after everything that is already there.
  const TimePoint as_of = recent.empty() ? now : std::max(now, recent.back().time());
  const Evidence evidence{recent,           view.alerts, !view.alerts.empty(), &one.proposed,
                          to_string(scope), &one.digest, &view.earlier};
  Scene scene(evidence, as_of);
  for (const Pattern& shared : view.patterns) {
    if (!in_scope(shared, one.proposed)) continue;
    std::optional<Pattern> own;
    if (scope.kind == ScopeKind::resource && view.policy != GuardPolicy{}) own = applied(view.policy, shared);
    const Pattern& pattern = own ? *own : shared;
    Finding finding = actionhist::detect(pattern, scene);
    add_once(one.verdict.not_evaluated, finding.not_evaluated);
    const auto found = std::ranges::find_if(
        finding.detections, [&](const Detection& detection) { return prevents(pattern, detection); });
    if (found == finding.detections.end()) continue;
    const auto same = std::ranges::find_if(view.in_force, [&](const Detection& detection) {
      return detection.pattern_id == found->pattern_id && detection.scope == found->scope;
    });
    // What is in force already is not detected anew: its refusals are counted.
    if (same != view.in_force.end()) {
      refuse(one, pattern, *same);
    } else {
      put_in_force(*found, pattern, scope, as_of);
      refuse(one, pattern, std::move(*found));
    }
  }
}

void Guard::uphold(Case one) {
  for (const Detection& detection : one.view.in_force) {
    const auto is_it = [&](const Detection& other) { return other.detection_id == detection.detection_id; };
    const bool counted = std::ranges::any_of(one.verdict.detections, is_it) ||
                         std::ranges::any_of(one.verdict.shadowed, is_it);
    const Pattern* const pattern = one.pattern_of(detection);
    if (counted || pattern == nullptr || !repeats(detection, one.proposed)) continue;
    refuse(one, *pattern, detection);
  }
}

void Guard::put_in_force(Detection& detection, const Pattern& pattern, const Scope& scope, TimePoint as_of) {
  const auto of_the_day = repository_.patterns().detections({.pattern_id = pattern.pattern_id,
                                                             .scope = to_string(scope),
                                                             .since = as_of - 24h,
                                                             .until = as_of + 1us,
                                                             .limit = 100});
  const auto earlier = static_cast<int>(of_the_day.size());
  detection.prevention = prevention_for(pattern, detection, earlier);
  const bool cooling = detection.prevention == Prevention::cooling_period;
  detection.in_force_until =
      as_of + (cooling ? cooling_period(pattern, detection, earlier + 1) : clear_after(detection));
}

void Guard::refuse(Case one, const Pattern& pattern, Detection detection) {
  const auto& [proposed, digest, asking, view, verdict] = one;
  detection.shadow = pattern.shadow;
  if (asking == Asking::override_ && !pattern.shadow) {
    ++detection.overrides;
  } else if (asking != Asking::check) {
    note_refusal(detection, proposed.action_id);
  }
  if (asking != Asking::check) detection = repository_.patterns().put(detection);
  if (pattern.shadow) {
    verdict.shadowed.push_back(std::move(detection));
    return;
  }
  const bool stronger = verdict.detections.empty() || precedence(*detection.prevention) <
                                                          precedence(*verdict.detections.front().prevention);
  if (stronger) {
    verdict.decision = decision_of(*detection.prevention);
    verdict.reason = reason_of(detection, proposed);
  }
  verdict.retry_after = std::max(verdict.retry_after.value_or(TimePoint{}), *detection.in_force_until);
  verdict.detections.insert(stronger ? verdict.detections.begin() : verdict.detections.end(),
                            std::move(detection));
}

void Guard::suggest(Verdict& verdict, const Trace& proposed) {
  if (verdict.decision != Decision::alternative) return;
  const TallyQuery query{.alert_name = proposed.alert_name,
                         .namespace_ = proposed.resource.namespace_,
                         .resource_id = proposed.resource_id};
  verdict.alternative = alternative_to(proposed.action_type, repository_.learning().tally(query));
  if (verdict.alternative) {
    verdict.reason += fmt::format("; {} works better here", verdict.alternative->action_type);
  } else {
    verdict.decision = Decision::escalate;
    verdict.reason += "; no other action is known to work better here, so a human has to decide";
  }
}

std::vector<Detection> Guard::analyse(const std::string& resource_id, TimePoint as_of) {
  const Scope scope{ScopeKind::resource, resource_id};
  const std::vector<Trace> traces = repository_.actions().judged(scope, as_of - baseline, as_of, most_judged);
  const std::vector<Alert> alerts = repository_.resources().alerts(as_of - baseline, as_of);
  const GuardPolicy policy = repository_.learning().guard_policy(resource_id);
  const Evidence evidence{traces, alerts, !alerts.empty(), nullptr, to_string(scope)};
  Scene scene(evidence, as_of);
  std::vector<Detection> all;
  for (const Pattern& pattern : repository_.patterns().patterns()) {
    for (Detection& found : actionhist::detect(applied(policy, pattern), scene).detections) {
      if (!prevents(pattern, found)) continue;
      found.shadow = pattern.shadow;
      all.push_back(std::move(found));
    }
  }
  return all.empty() ? all : note_new(scope, all, as_of);
}

std::vector<Detection> Guard::note_new(const Scope& scope, std::span<const Detection> found,
                                       TimePoint as_of) {
  std::vector<Detection> fresh;
  repository_.transaction([&] {
    fresh.clear();
    // Another process may analyse the same resource: its lease may have ended, or clocks differ.
    repository_.actions().lock({&scope, 1});
    std::vector<Detection> noted = repository_.patterns().detections(
        {.scope = to_string(scope), .since = as_of - baseline, .until = as_of + 1us, .limit = most_judged});
    for (const Detection& each : found) {
      const bool known = std::ranges::any_of(noted, [&](const Detection& other) {
        return other.pattern_id == each.pattern_id && other.last_at >= each.first_at;
      });
      if (known) continue;
      noted.push_back(each);
      fresh.push_back(repository_.patterns().put(each));
    }
  });
  return fresh;
}

std::vector<Detection> Guard::detect(const DetectQuery& query, TimePoint as_of) {
  const std::vector<Pattern> patterns = repository_.patterns().patterns();
  const auto window = std::max<std::chrono::microseconds>(baseline, query.window.value_or(0min));
  ActionQuery wanted;
  wanted.resource = query.resource;
  wanted.correlation_id = query.correlation_id;
  if (!query.session_id.empty()) wanted.where = Json::object({{"session_id", query.session_id}});
  wanted.since = as_of - window;
  wanted.until = as_of + 1us;
  wanted.limit = 10'000;
  std::vector<Trace> traces = repository_.actions().find(wanted).traces;
  std::ranges::reverse(traces);
  const std::vector<Alert> alerts = repository_.resources().alerts(as_of - window, as_of);

  Evidence evidence{traces, alerts, !alerts.empty(), nullptr, {}};
  if (!query.correlation_id.empty()) {
    evidence.scope = to_string(Scope{ScopeKind::correlation, query.correlation_id});
  } else if (!query.session_id.empty()) {
    evidence.scope = to_string(Scope{ScopeKind::session, query.session_id});
  } else if (!traces.empty()) {
    evidence.scope = to_string(Scope{ScopeKind::resource, traces.back().resource_id});
  }
  Scene scene(evidence, as_of);
  std::vector<Detection> detections;
  for (const Pattern& pattern : patterns) {
    Finding finding = actionhist::detect(pattern, scene, query.window);
    for (Detection& detection : finding.detections) detections.push_back(std::move(detection));
  }
  std::ranges::stable_sort(detections, std::greater<>(), &Detection::confidence);
  return detections;
}

}  // namespace actionhist
