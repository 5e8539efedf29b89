#include "history/state.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "analysis/verbs.hpp"
#include "core/hash.hpp"
#include "core/refuse.hpp"
#include "history/validate.hpp"

namespace actionhist {

std::string fingerprint_of(std::string_view alert_name, const Json& labels, const std::string& resource_id) {
  if (alert_name.empty()) return {};
  return sha256_hex(fmt::format("{}\n{}\n{}", alert_name, labels.text(), resource_id)).substr(0, 32);
}

[[noreturn]] void not_stored(std::string_view action_id) {
  throw Error(ErrorCode::not_found, fmt::format("action_id: \"{}\" is not stored", action_id));
}

std::optional<std::int64_t> duration_of(const Outcome& outcome) {
  if (!outcome.execution_start_time || !outcome.execution_end_time) return std::nullopt;
  const auto took = *outcome.execution_end_time - *outcome.execution_start_time;
  if (took < took.zero() || took > longest_duration) return std::nullopt;
  return std::chrono::floor<std::chrono::milliseconds>(took).count();
}

void fill_duration(Outcome& outcome) {
  if (!outcome.execution_duration_ms) outcome.execution_duration_ms = duration_of(outcome);
}

History::State::State(std::unique_ptr<Repository> opened, Options given)
    : options(std::move(given)),
      repository(std::move(opened)),
      redactor(options.redact),
      guard(*repository),
      slot(*repository, options) {
  validate(options);
  if (!options.clock) options.clock = repository->clock();
  refuse_old_schema();
  if (!options.read_only) ship_patterns();
  if (options.semantic) slot.start();
  if (options.upkeep_interval.count() != 0) start_upkeep();
}

void History::State::refuse_old_schema() {
  const EngineInfo info = repository->maintenance().info();
  if (info.schema_version >= info.schema_latest) return;
  throw Error(ErrorCode::unsupported,
              fmt::format("database \"{}\" has schema {}, this library needs {}; run `actionhist migrate`",
                          info.location, info.schema_version, info.schema_latest));
}

void History::State::ship_patterns() {
  PatternStore& patterns = repository->patterns();
  try {
    if (patterns.shipped()) return;
    repository->transaction([&] {
      // One that has patterns got these before that was noted.
      if (!patterns.mark_shipped(now()) || !patterns.patterns().empty()) return;
      for (const Pattern& pattern : default_patterns()) patterns.put(pattern);
    });
  } catch (const Error& error) {
    // A role that may only embed or maintain leaves them to the first that may write.
    if (error.code() != ErrorCode::denied) throw;
  }
}

void History::State::start_upkeep() {
  if (options.read_only) return;
  upkeep_ = std::make_unique<UpkeepThread>(
      *repository, options.upkeep_interval, [this] { upkeep(); },
      [this](const std::string& text) { warn("upkeep: " + text); });
}

void History::State::warn(const std::string& text) const {
  if (options.log) options.log(LogLevel::warning, text);
}

Trace History::State::prepare(Action action, bool proposed) const {
  const TimePoint clock = now();
  validate(action, clock, proposed);
  if (redactor.redact(action)) validate(action, clock, proposed);
  Trace trace;
  static_cast<Action&>(trace) = std::move(action);
  trace.resource = normalized(trace.resource);
  const Resource guarded = guarded_resource(trace);
  trace.resource_id = resource_id(repository->tenant(), guarded);
  trace.owner = guarded == trace.resource ? "" : guarded.kind + '/' + guarded.name;
  if (!trace.effect) trace.effect = effect_of(trace.action_type);
  if (!trace.action_timestamp) trace.action_timestamp = clock;
  if (trace.action_id.empty()) trace.action_id = uuid_v7(*trace.action_timestamp);
  if (trace.alert_fingerprint.empty()) {
    trace.alert_fingerprint = fingerprint_of(trace.alert_name, trace.alert_labels, trace.resource_id);
  }
  if (proposed) trace.outcome.status = Status::pending;
  fill_duration(trace.outcome);
  trace.created_at = trace.updated_at = clock;
  return trace;
}

Trace History::State::update(std::string_view action_id, const std::function<bool(Trace&)>& change) {
  Trace trace;
  repository->transaction([&] {
    const auto stored = repository->actions().get_to_update(action_id);
    if (!stored) not_stored(action_id);
    trace = *stored;
    if (!change(trace)) return;
    trace.updated_at = now();
    repository->actions().update(trace, *stored);
    if (trace.outcome.effectiveness_score != stored->outcome.effectiveness_score) mark_scored(trace);
  });
  written();
  return trace;
}

void History::State::mark_scored(const Trace& trace) {
  const TimePoint time = trace.time();
  repository->metrics().mark_scored({&time, 1});
}

std::string History::State::index_trouble(const Index* index) const {
  if (index == nullptr) return "the semantic layer is off";
  if (!index->replica->caught_up()) {
    const std::string error = index->sync->error();
    return error.empty() ? "the index is still loading" : "the index cannot load: " + error;
  }
  return {};
}

}  // namespace actionhist
