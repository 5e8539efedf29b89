// What an agent tells the memory: actions, their outcomes, alerts, and how actions belong together.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "core/json_io.hpp"
#include "core/refuse.hpp"
#include "history/retention.hpp"
#include "history/state.hpp"
#include "history/validate.hpp"

namespace actionhist {
namespace {

// What the caller gives replaces what is there; what it leaves empty stays.
Outcome merged(Outcome known, const Outcome& given) {
  if (!given.execution_error.empty()) known.execution_error = given.execution_error;
  if (!given.post_spec_hash.empty()) known.post_spec_hash = given.post_spec_hash;
  if (!given.result_hash.empty()) known.result_hash = given.result_hash;
  if (!given.effectiveness_notes.empty()) known.effectiveness_notes = given.effectiveness_notes;
  if (!given.effectiveness_assessment_method.empty()) {
    known.effectiveness_assessment_method = given.effectiveness_assessment_method;
  }
  if (!given.kubernetes_operations.absent()) known.kubernetes_operations = given.kubernetes_operations;
  if (!given.resource_state_after.absent()) known.resource_state_after = given.resource_state_after;
  if (!given.effectiveness_criteria.absent()) known.effectiveness_criteria = given.effectiveness_criteria;
  const auto take = [](auto& target, const auto& value) {
    if (value) target = value;
  };
  take(known.execution_start_time, given.execution_start_time);
  take(known.execution_end_time, given.execution_end_time);
  take(known.execution_duration_ms, given.execution_duration_ms);
  take(known.effectiveness_score, given.effectiveness_score);
  take(known.effectiveness_assessed_at, given.effectiveness_assessed_at);
  take(known.effectiveness_due_at, given.effectiveness_due_at);
  known.status = given.status;
  return known;
}

// What came of an action on which `before` was known.
Outcome completed(const Outcome& before, const Outcome& given) {
  Outcome after = merged(before, given);
  // What was derived from the times before is derived anew.
  if (!given.execution_duration_ms && before.execution_duration_ms == duration_of(before))
    after.execution_duration_ms.reset();
  auto& end = after.execution_end_time;
  const auto& start = after.execution_start_time;
  // The start may be of another clock than the end: the library's own, as start() takes it.
  if (end && start && !given.execution_start_time && *end < *start && *start - *end <= allowed_skew)
    end = start;
  return after;
}

}  // namespace

Trace History::record(const Action& action) { return std::move(record(std::span(&action, 1)).front()); }

std::vector<Trace> History::record(std::span<const Action> actions) {
  State& state = alive(state_);
  std::vector<Trace> traces;
  traces.reserve(actions.size());
  for (std::size_t i = 0; i < actions.size(); ++i) {
    try {
      traces.push_back(state.prepare(actions[i], false));
    } catch (const Error& error) {
      if (actions.size() == 1) throw;
      throw Error(error.code(), fmt::format("actions[{}].{}", i, error.what()));
    }
  }
  std::vector<TimePoint> scored;
  for (const Trace& trace : traces) {
    if (trace.outcome.effectiveness_score) scored.push_back(trace.time());
  }
  std::vector<Trace> stored;
  const auto insert = [&] { stored = state.repository->actions().insert(traces); };
  if (scored.empty()) {
    insert();
  } else {
    state.repository->transaction([&] {
      insert();
      state.repository->metrics().mark_scored(scored);
    });
  }
  state.written();
  return stored;
}

ActionImport History::import_actions(std::span<const Action> actions) {
  State& state = alive(state_);
  ActionImport result;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const std::string& id = actions[i].action_id;
    if (id.empty()) continue;
    validate_id(id, actions.size() == 1 ? "action_id" : fmt::format("actions[{}].action_id", i));
    ids.push_back(id);
  }
  const std::set<std::string_view> distinct(ids.begin(), ids.end());
  // Most of what is imported is new, and stored faster by itself.
  if (distinct.size() == ids.size() && state.repository->actions().get(ids).empty()) {
    for (const Trace& trace : record(actions)) ++(trace.stored ? result.stored : result.present);
    return result;
  }
  state.repository->transaction([&] {
    result = {};
    const std::vector<Trace> traces = record(actions);
    for (std::size_t i = 0; i < actions.size(); ++i) {
      const Action& told = actions[i];
      const Status known = traces[i].outcome.status;
      if (traces[i].stored) {
        ++result.stored;
      } else if (terminal(told.outcome.status) && !terminal(known) &&
                 told.action_type == traces[i].action_type) {
        complete(told.action_id, told.outcome);
        ++result.completed;
      } else {
        ++result.present;
      }
    }
  });
  return result;
}

Trace History::start(std::string_view action_id, std::optional<TimePoint> at) {
  State& state = alive(state_);
  validate_id(action_id, "action_id");
  validate_time(at, "execution_start_time", state.now());
  const TimePoint started = at.value_or(state.now());
  return state.update(action_id, [&](Trace& trace) {
    if (trace.outcome.status == Status::executing) {
      // A run whose commit lost its answer is run again, and finds what it stored itself.
      trace.stored = state.repository->unanswered() && trace.outcome.execution_start_time == started;
      return false;
    }
    if (!may_become(trace.outcome.status, Status::executing, false)) {
      throw Error(ErrorCode::conflict, fmt::format("execution_status: \"{}\" is {} and cannot start",
                                                   action_id, to_string(trace.outcome.status)));
    }
    trace.outcome.status = Status::executing;
    trace.outcome.execution_start_time = started;
    return true;
  });
}

Trace History::complete(std::string_view action_id, const Outcome& given, bool correction) {
  State& state = alive(state_);
  validate_id(action_id, "action_id");
  validate(given);
  if (!terminal(given.status)) {
    refuse("execution_status", "must be completed, failed, rolled-back, cancelled or escalated");
  }
  return state.update(action_id, [&](Trace& trace) {
    Outcome outcome = given;
    if (state.redactor.redact(outcome, trace.resource)) validate(outcome);
    const Status before = trace.outcome.status;
    if (before != outcome.status && !may_become(before, outcome.status, correction)) {
      throw Error(ErrorCode::conflict,
                  fmt::format("execution_status: \"{}\" is {} already, not {}; a correction "
                              "must say so",
                              action_id, to_string(before), to_string(outcome.status)));
    }
    Outcome after = completed(trace.outcome, outcome);
    if (!after.execution_end_time) {
      after.execution_end_time = std::max(state.now(), after.execution_start_time.value_or(TimePoint{}));
    }
    if (after.effectiveness_score && !after.effectiveness_assessed_at)
      after.effectiveness_assessed_at = state.now();
    fill_duration(after);
    validate(after);
    if (after == trace.outcome) return false;
    trace.outcome = std::move(after);
    return true;
  });
}

Trace History::assess(std::string_view action_id, const Assessment& assessment) {
  State& state = alive(state_);
  validate_id(action_id, "action_id");
  validate(assessment);
  validate_time(assessment.assessed_at, "assessed_at", state.now());
  Outcome given;
  given.effectiveness_criteria = assessment.criteria;
  given.effectiveness_notes = assessment.notes;
  given.effectiveness_score = effectiveness_score(assessment);
  if (given.effectiveness_score) {
    given.effectiveness_assessment_method = assessment.method;
    given.effectiveness_assessed_at = assessment.assessed_at.value_or(state.now());
  }
  return state.update(action_id, [&](Trace& trace) {
    if (state.redactor.redact(given, trace.resource)) validate(given);
    given.status = trace.outcome.status;
    Outcome after = merged(trace.outcome, given);
    if (after == trace.outcome) return false;
    trace.outcome = std::move(after);
    return true;
  });
}

void History::observe(const Alert& given) {
  State& state = alive(state_);
  validate(given, state.now());
  Alert alert = given;
  if (state.redactor.redact(alert)) validate(alert, state.now());
  alert.resource = normalized(alert.resource);
  if (alert.fingerprint.empty()) {
    alert.fingerprint =
        fingerprint_of(alert.name, alert.labels, resource_id(state.repository->tenant(), alert.resource));
  }
  state.repository->resources().observe(alert);
}

Trace History::link(std::string_view action_id, std::string_view follow_up, std::string_view relation) {
  State& state = alive(state_);
  validate_id(action_id, "action_id");
  validate_id(follow_up, "follow_up");
  validate_id(relation, "relation");
  if (action_id == follow_up) refuse("follow_up", "is the action itself");
  return state.update(action_id, [&](Trace& trace) {
    std::string kept(relation);
    state.redactor.redact(kept);
    const Json entry = Json::object({{"action_id", follow_up}, {"relation", kept}});
    JsonWriter writer;
    writer.begin_array();
    if (!trace.follow_up_actions.absent()) {
      JsonDocument document;
      for (JsonElement known : simdjson::dom::array(document.parse(trace.follow_up_actions))) {
        const std::string text = simdjson::minify(known);
        if (text == entry.text()) return false;
        writer.raw(text);
      }
    }
    trace.follow_up_actions = Json::parse(writer.value(entry).end_array().take(), "follow_up_actions");
    return true;
  });
}

void History::resource_seen(const Resource& resource, std::optional<TimePoint> at) {
  State& state = alive(state_);
  validate(resource);
  validate_time(at, "at", state.now());
  const Resource known = normalized(resource);
  if (known.kind.empty() || known.name.empty()) {
    refuse("resource", "kind and name are required");
  }
  state.repository->resources().seen(known, at.value_or(state.now()));
}

bool History::resource_deleted(const Resource& resource, std::optional<TimePoint> at) {
  State& state = alive(state_);
  validate_time(at, "at", state.now());
  return state.repository->resources().deleted(normalized(resource), at.value_or(state.now()));
}

bool History::erase(std::string_view action_id) {
  State& state = alive(state_);
  // One moment for every run, by which the second finds what the first removed.
  const TimePoint now = state.now();
  bool erased = false;
  state.repository->transaction([&] {
    const auto trace = state.repository->actions().get(action_id);
    if (!trace) {
      erased = state.repository->unanswered() && state.repository->actions().remove(action_id, now);
      return;
    }
    RetentionStore& store = state.repository->retention();
    RetentionGroup group;
    if (!trace->resource_id.empty()) group = store.group(trace->resource_id);
    const ExpiringAction action{trace->action_id, trace->time(), {}};
    if (policy_of(group, store.default_policy()).legal_hold || store.held({&action, 1})) {
      throw Error(ErrorCode::conflict,
                  fmt::format("action_id: \"{}\" is under a legal hold; end the hold in the policy first",
                              action_id));
    }
    erased = state.repository->actions().remove(action_id, now);
    if (trace->outcome.effectiveness_score) state.mark_scored(*trace);
  });
  state.written();
  return erased;
}

std::string to_json(const ActionImport& result) {
  JsonWriter writer;
  writer.begin_object().member("stored", result.stored).member("completed", result.completed);
  return writer.member("present", result.present).end_object().take();
}

}  // namespace actionhist
