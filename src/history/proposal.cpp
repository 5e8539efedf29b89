// What an agent asks before it acts, and what was found in the past.
#include <algorithm>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/refuse.hpp"
#include "history/known_resource.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t max_actor = 1024;
constexpr std::size_t max_reason = 64 * 1024;

void validate(const Override& given) {
  const auto check = [](const std::string& text, const char* field, std::size_t limit) {
    if (text.empty()) refuse(field, "is required");
    if (text.size() > limit) {
      refuse(field, fmt::format("must be at most {} bytes long", limit));
    }
    Json::parse(Json(text).text(), field);  // UTF-8 without NUL
  };
  check(given.actor, "override.actor", max_actor);
  check(given.reason, "override.reason", max_reason);
}

OverrideRecord record_of(const Override& given, const Verdict& verdict, const Trace& proposed,
                         TimePoint now) {
  OverrideRecord record{uuid_v7(now), proposed.action_id, given.actor, given.reason, now, {}};
  for (const Detection& detection : verdict.detections)
    record.detection_ids.push_back(detection.detection_id);
  return record;
}

}  // namespace

Verdict History::State::propose(const Action& action, const Override* given) {
  Router::Call call(router, UseCase::action_prevention);
  const RecentTrace candidate(prepare(action, true));
  const Trace& proposed = *candidate;
  Verdict verdict;
  try {
    repository->transaction([&] {
      const TimePoint at = std::max(now(), proposed.time());
      verdict = guard.decide(candidate, at, given != nullptr ? Asking::override_ : Asking::propose);
      // A run whose commit lost its answer is run again, and finds what it stored itself.
      const bool own =
          repository->unanswered() && verdict.trace && verdict.trace->created_at == proposed.created_at;
      if (own) verdict.repeated = false;
      if (!verdict.allowed() || verdict.repeated || own) return;
      repository->actions().insert_new(candidate);
      verdict.trace = proposed;
      if (proposed.outcome.effectiveness_score) mark_scored(proposed);
      if (verdict.overridden) repository->learning().put(record_of(*given, verdict, proposed, now()));
    });
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unavailable || options.on_unavailable == OnUnavailable::deny) throw;
    verdict = {};
    verdict.not_evaluated.push_back(fmt::format("all: {}", error.what()));
    verdict.reason = "allowed without a record, because the database cannot be reached";
    return verdict;
  }
  if (verdict.trace) verdict.trace->stored = !verdict.repeated;
  written();
  notify(verdict, proposed.action_id);
  return verdict;
}

void History::State::notify(const Verdict& verdict, const std::string& action_id) {
  std::vector<DetectionNotice> notices;
  const auto add = [&](const Detection& detection, bool overridden) {
    const bool fresh = !verdict.repeated && detection.refusals + detection.overrides == 1;
    notices.push_back({detection, action_id, fresh, overridden, {}, {}});
  };
  for (const Detection& detection : verdict.detections) add(detection, verdict.overridden);
  for (const Detection& detection : verdict.shadowed) add(detection, false);
  tell(std::move(notices));
}

void History::State::notify(const std::vector<Detection>& found) {
  std::vector<DetectionNotice> notices;
  for (const Detection& detection : found)
    notices.push_back({detection, detection.action_ids.back(), true, false, {}, {}});
  tell(std::move(notices));
}

void History::State::tell(std::vector<DetectionNotice> notices) {
  const auto news = [](const DetectionNotice& notice) { return notice.fresh || notice.overridden; };
  if (notices.empty() || (!options.on_detection && std::ranges::none_of(notices, news))) return;
  std::vector<Pattern> patterns;
  try {
    patterns = repository->patterns().patterns();
  } catch (const Error& error) {
    // What was decided is stored by now, and its answer must not be lost with the news of it.
    warn(fmt::format("{} detection(s) were told to nobody: {}", notices.size(), error.what()));
    return;
  }
  for (DetectionNotice& notice : notices) {
    const auto pattern = std::ranges::find(patterns, notice.detection.pattern_id, &Pattern::pattern_id);
    if (pattern == patterns.end() || !pattern->alerting_enabled) continue;
    notice.alert_severity = pattern->alert_severity;
    notice.alert_channels = pattern->alert_channels;
    tell_host(notice);
    if (!news(notice)) continue;
    try {
      if (const auto webhook = parse_webhook(pattern->alert_webhook))
        webhooks.post(*webhook, to_json(notice));
    } catch (const std::exception& error) {
      warn(fmt::format("webhook of \"{}\": {}", pattern->pattern_id, error.what()));
    }
  }
}

void History::State::tell_host(const DetectionNotice& notice) const {
  if (!options.on_detection) return;
  try {
    options.on_detection(notice);
  } catch (const std::exception& error) {
    warn(fmt::format("on_detection: {}", error.what()));
  }
}

Verdict History::propose(const Action& action) { return alive(state_).propose(action, nullptr); }

Verdict History::propose(const Action& action, const Override& override_) {
  State& state = alive(state_);
  validate(override_);
  Override kept = override_;
  state.redactor.redact(kept.actor);
  state.redactor.redact(kept.reason);
  return state.propose(action, &kept);
}

Verdict History::check(const Action& action) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::real_time_decisions);
  const RecentTrace proposed(state.prepare(action, true));
  const TimePoint at = std::max(state.now(), proposed.time());
  Verdict verdict = state.guard.decide(proposed, at, Asking::check);
  verdict.trace.reset();
  return verdict;
}

std::vector<Detection> History::detect(const DetectQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::oscillation_detection);
  const bool scoped = !query.resource.kind.empty() || !query.resource.name.empty() ||
                      !query.correlation_id.empty() || !query.session_id.empty();
  if (!scoped) {
    refuse("detect", "name a resource, a correlation_id or a session_id");
  }
  if (query.window) require_between("window_minutes", query.window->count(), 1, 366 * 24 * 60);
  DetectQuery wanted = query;
  wanted.resource = asked_resource(query.resource);
  return state.guard.detect(wanted, query.as_of.value_or(state.now()));
}

}  // namespace actionhist
