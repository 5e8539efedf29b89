#include <actionhist/history.hpp>

#include <algorithm>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include <actionhist/error.hpp>

#include "analysis/verbs.hpp"
#include "core/hash.hpp"
#include "core/json_io.hpp"
#include "core/trace_fields.hpp"
#include "embedding/tokens.hpp"
#include "history/guard.hpp"
#include "history/redaction.hpp"
#include "history/router.hpp"
#include "history/subject.hpp"
#include "history/validate.hpp"
#include "semantic/sync.hpp"

namespace actionhist {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t max_fallback_words = 16;
// Hits are looked up in the database afterwards; a few may have been deleted meanwhile.
constexpr int spare_hits = 8;

std::string fingerprint_of(std::string_view alert_name, const Json& labels, const std::string& resource_id) {
  if (alert_name.empty()) return {};
  return sha256_hex(fmt::format("{}\n{}\n{}", alert_name, labels.text(), resource_id)).substr(0, 32);
}

[[noreturn]] void not_stored(std::string_view action_id) {
  throw Error(ErrorCode::not_found, fmt::format("action_id: \"{}\" is not stored", action_id));
}

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

void fill_duration(Outcome& outcome) {
  if (outcome.execution_duration_ms || !outcome.execution_start_time || !outcome.execution_end_time) return;
  const auto took = *outcome.execution_end_time - *outcome.execution_start_time;
  outcome.execution_duration_ms = std::chrono::floor<std::chrono::milliseconds>(took).count();
}

// The words of a query as they may stand in a text: the stem where it is the beginning of the word.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  Tokenizer tokenizer(text);
  Token token;
  while (words.size() < max_fallback_words && tokenizer.next(token)) {
    std::string word(token.word.starts_with(token.term) ? token.term : token.word);
    if (std::ranges::find(words, word) == words.end()) words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

struct History::State {
  State(std::unique_ptr<Repository> opened, Options given)
      : options(std::move(given)),
        repository(std::move(opened)),
        redactor(options.redact),
        guard(*repository),
        model(options.model ? options.model : hashed_lexical_model()) {
    if (!options.clock) options.clock = system_now;
    refuse_old_schema();
    if (!options.read_only) ship_patterns();
    if (options.semantic) start_sync();
  }

  void refuse_old_schema() {
    const EngineInfo info = repository->maintenance().info();
    if (info.schema_version >= info.schema_latest) return;
    throw Error(ErrorCode::unsupported,
                fmt::format("database \"{}\" has schema {}, this library needs {}; run `actionhist migrate`",
                            info.location, info.schema_version, info.schema_latest));
  }

  // A tenant without any pattern gets the shipped ones.
  void ship_patterns() {
    if (!repository->patterns().patterns().empty()) return;
    repository->transaction([&] {
      for (const Pattern& pattern : default_patterns()) repository->patterns().put(pattern);
    });
  }

  void start_sync() {
    replica.emplace(repository->feed(), model->space_id(), model->dimension());
    std::unique_ptr<FeedWorker> worker;
    if (options.worker && !options.read_only) {
      worker = std::make_unique<FeedWorker>(repository->feed(), *model, [this](const std::string& id) {
        const auto trace = repository->actions().get(id);
        return trace ? std::optional(subject_of(*trace)) : std::nullopt;
      });
    }
    sync = std::make_unique<SyncThread>(std::move(worker), *replica, [this](const std::string& error) {
      if (options.log) options.log(LogLevel::warning, "index: " + error);
    });
  }

  TimePoint now() const { return options.clock(); }

  void written() {
    if (sync) sync->wake(false);
  }

  // Everything that is derived from what the agent gave. Redaction comes first, so that no secret is hashed.
  Trace prepare(Action action, bool proposed) const {
    const TimePoint clock = now();
    validate(action, clock, proposed);
    redactor.redact(action);
    Trace trace;
    static_cast<Action&>(trace) = std::move(action);
    trace.resource = normalized(trace.resource);
    trace.resource_id = resource_id(options.tenant, guarded_resource(trace));
    if (!trace.effect) trace.effect = effect_of(trace.action_type);
    if (!trace.action_timestamp) trace.action_timestamp = clock;
    if (trace.action_id.empty()) {
      // The id carries the time, so both have its precision.
      trace.action_timestamp = std::chrono::floor<std::chrono::milliseconds>(*trace.action_timestamp);
      trace.action_id = uuid_v7(*trace.action_timestamp);
    }
    if (trace.alert_fingerprint.empty()) {
      trace.alert_fingerprint = fingerprint_of(trace.alert_name, trace.alert_labels, trace.resource_id);
    }
    if (proposed) trace.outcome.status = Status::pending;
    fill_duration(trace.outcome);
    trace.created_at = trace.updated_at = clock;
    return trace;
  }

  // Changes one stored trace in a transaction; `change` returns false when there is nothing to change.
  template <class Change>
  Trace update(std::string_view action_id, Change change) {
    Trace trace;
    repository->transaction([&] {
      auto stored = repository->actions().get(action_id);
      if (!stored) not_stored(action_id);
      trace = std::move(*stored);
      if (!change(trace)) return;
      trace.updated_at = now();
      repository->actions().update(trace);
    });
    written();
    return trace;
  }

  // Why the index cannot answer, empty if it can.
  std::string index_trouble() const {
    if (!sync) return "the semantic layer is off";
    if (!replica->caught_up()) {
      const std::string error = sync->error();
      return error.empty() ? "the index is still loading" : "the index cannot load: " + error;
    }
    return {};
  }

  std::vector<Hit> search_index(const SimilarQuery& query, const std::string& text) const;
  std::vector<Hit> search_database(const SimilarQuery& query, const std::string& text,
                                   const std::string& trouble) const;
  bool wait_indexed(std::chrono::milliseconds timeout);

  Options options;
  std::unique_ptr<Repository> repository;
  Redactor redactor;
  Guard guard;
  Router router;
  std::shared_ptr<const EmbeddingModel> model;
  std::optional<Replica> replica;
  std::unique_ptr<SyncThread> sync;  // last: it uses all of the above
  pid_t pid = getpid();
};

namespace {

// Threads, locks and file handles of the parent mean nothing in the child.
template <class State>
State& alive(const std::unique_ptr<State>& state) {
  if (!state) throw Error(ErrorCode::invalid_argument, "history: is closed");
  if (state->pid != getpid()) {
    throw Error(ErrorCode::unsupported,
                "history: opened before fork(); start the child with exec or spawn and open another there");
  }
  return *state;
}

}  // namespace

History::History(std::unique_ptr<Repository> repository, Options options)
    : state_(std::make_unique<State>(std::move(repository), std::move(options))) {}

History::~History() {
  // The child leaks what belongs to its parent.
  if (state_ && state_->pid != getpid()) static_cast<void>(state_.release());
}

History::History(History&&) noexcept = default;

History& History::operator=(History&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

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
  std::vector<Trace> stored = state.repository->actions().insert(traces);
  state.written();
  return stored;
}

Verdict History::propose(const Action& action) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::action_prevention);
  const Trace proposed = state.prepare(action, true);
  Verdict verdict;
  try {
    state.repository->transaction([&] {
      if (auto stored = state.repository->actions().get(proposed.action_id)) {
        verdict = {};
        verdict.repeated = true;
        verdict.trace = std::move(stored);
        return;
      }
      verdict = state.guard.decide(proposed, std::max(state.now(), proposed.time()), true);
      if (verdict.allowed()) verdict.trace = state.repository->actions().insert({&proposed, 1}).front();
    });
  } catch (const Error& error) {
    const bool unreachable = error.code() == ErrorCode::unavailable || error.code() == ErrorCode::timeout;
    if (!unreachable || state.options.on_unavailable == OnUnavailable::deny) throw;
    verdict = {};
    verdict.not_evaluated.push_back(fmt::format("all: {}", error.what()));
    verdict.reason = "allowed without a record, because the database cannot be reached";
    return verdict;
  }
  if (verdict.trace) verdict.trace->stored = !verdict.repeated;
  state.written();
  return verdict;
}

Verdict History::check(const Action& action) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::real_time_decisions);
  const Trace proposed = state.prepare(action, true);
  if (state.repository->actions().get(proposed.action_id)) {
    Verdict verdict;
    verdict.repeated = true;
    return verdict;
  }
  return state.guard.decide(proposed, std::max(state.now(), proposed.time()), false);
}

Trace History::start(std::string_view action_id, std::optional<TimePoint> at) {
  State& state = alive(state_);
  validate_id(action_id, "action_id");
  validate_time(at, "execution_start_time", state.now());
  return state.update(action_id, [&](Trace& trace) {
    if (trace.outcome.status == Status::executing) return false;
    if (!may_become(trace.outcome.status, Status::executing, false)) {
      throw Error(ErrorCode::conflict, fmt::format("execution_status: \"{}\" is {} and cannot start",
                                                   action_id, to_string(trace.outcome.status)));
    }
    trace.outcome.status = Status::executing;
    trace.outcome.execution_start_time = at.value_or(state.now());
    return true;
  });
}

Trace History::complete(std::string_view action_id, const Outcome& given, bool correction) {
  State& state = alive(state_);
  validate_id(action_id, "action_id");
  validate(given);
  if (!terminal(given.status)) {
    throw Error(ErrorCode::invalid_argument,
                "execution_status: must be completed, failed, rolled-back, cancelled or escalated");
  }
  Outcome outcome = given;
  state.redactor.redact(outcome);
  return state.update(action_id, [&](Trace& trace) {
    const Status before = trace.outcome.status;
    if (before != outcome.status && !may_become(before, outcome.status, correction)) {
      throw Error(ErrorCode::conflict,
                  fmt::format("execution_status: \"{}\" is {} already, not {}; a correction "
                              "must say so",
                              action_id, to_string(before), to_string(outcome.status)));
    }
    Outcome after = merged(trace.outcome, outcome);
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
  state.redactor.redact(given);
  return state.update(action_id, [&](Trace& trace) {
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
  state.redactor.redact(alert);
  alert.resource = normalized(alert.resource);
  if (alert.fingerprint.empty()) {
    alert.fingerprint =
        fingerprint_of(alert.name, alert.labels, resource_id(state.options.tenant, alert.resource));
  }
  state.repository->resources().observe(alert);
}

Trace History::link(std::string_view action_id, std::string_view follow_up, std::string_view relation) {
  State& state = alive(state_);
  validate_id(action_id, "action_id");
  validate_id(follow_up, "follow_up");
  validate_id(relation, "relation");
  if (action_id == follow_up) throw Error(ErrorCode::invalid_argument, "follow_up: is the action itself");
  return state.update(action_id, [&](Trace& trace) {
    const Json entry = Json::object({{"action_id", follow_up}, {"relation", relation}});
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

std::optional<Trace> History::get(std::string_view action_id) {
  return alive(state_).repository->actions().get(action_id);
}

Page History::history(const ActionQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, query.since || query.until ? UseCase::time_series_analysis
                                                             : UseCase::compliance_reporting);
  ActionQuery wanted = query;
  wanted.resource.kind = normalized(query.resource).kind;
  return state.repository->actions().find(wanted);
}

std::vector<Summary> History::summaries(std::optional<TimePoint> changed_since) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::effectiveness_metrics);
  const TimePoint now = state.now();
  std::vector<Summary> summaries = state.repository->actions().summaries(changed_since, now);
  for (const Detection& detection : state.repository->patterns().in_force({}, now)) {
    for (Summary& summary : summaries) {
      const bool involved =
          std::ranges::find(detection.resources, summary.resource_id) != detection.resources.end();
      if (involved)
        summary.active_patterns.push_back({detection.pattern_type, detection.severity, detection.as_of});
    }
  }
  return summaries;
}

void History::resource_seen(const Resource& resource, std::optional<TimePoint> at) {
  State& state = alive(state_);
  validate(resource);
  validate_time(at, "at", state.now());
  const Resource known = normalized(resource);
  if (known.kind.empty() || known.name.empty()) {
    throw Error(ErrorCode::invalid_argument, "resource: kind and name are required");
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
  const bool erased = state.repository->actions().remove(action_id, state.now());
  state.written();
  return erased;
}

std::vector<Detection> History::detect(const DetectQuery& query) {
  State& state = alive(state_);
  Router::Call call(state.router, UseCase::oscillation_detection);
  const bool scoped = !query.resource.kind.empty() || !query.resource.name.empty() ||
                      !query.correlation_id.empty() || !query.session_id.empty();
  if (!scoped) {
    throw Error(ErrorCode::invalid_argument, "detect: name a resource, a correlation_id or a session_id");
  }
  if (query.window && (*query.window < 1min || *query.window > std::chrono::days{366})) {
    throw Error(ErrorCode::invalid_argument, "window_minutes: must be between 1 and 527040");
  }
  DetectQuery wanted = query;
  wanted.resource.kind = normalized(query.resource).kind;
  return state.guard.detect(wanted, query.as_of.value_or(state.now()));
}

std::vector<Pattern> History::patterns() { return alive(state_).repository->patterns().patterns(); }

void History::put_pattern(const Pattern& pattern) {
  State& state = alive(state_);
  validate(pattern);
  // Its texts must be UTF-8 without NUL, which JSON checks.
  Json::parse(to_json(pattern), "pattern");
  state.repository->patterns().put(pattern);
}

std::vector<Hit> History::State::search_index(const SimilarQuery& query, const std::string& text) const {
  std::vector<float> vector = query.vector;
  if (vector.empty()) {
    vector.resize(model->dimension());
    const std::string_view texts[] = {text};
    model->embed(texts, query.action_id.empty() ? EmbeddingRole::query : EmbeddingRole::document, vector);
  }
  IndexQuery wanted;
  wanted.text = text;
  wanted.vector = vector;
  wanted.where = resolve_where(query.where);
  wanted.exclude_id = query.action_id;
  wanted.limit = query.limit + spare_hits;
  wanted.threshold = query.threshold;
  std::vector<Hit> hits;
  for (IndexHit& found : replica->index().search(wanted)) {
    auto trace = repository->actions().get(found.id);
    if (!trace) continue;
    Hit& hit = hits.emplace_back();
    hit.trace = std::move(*trace);
    hit.score = found.score;
    hit.explain = {"index",
                   "",
                   found.similarity,
                   found.bm25,
                   std::move(found.matched_terms),
                   model->space_id(),
                   replica->seq(),
                   replica->feed_seq()};
    if (hits.size() == static_cast<std::size_t>(query.limit)) break;
  }
  return hits;
}

std::vector<Hit> History::State::search_database(const SimilarQuery& query, const std::string& text,
                                                 const std::string& trouble) const {
  const std::vector<std::string> words = words_of(text);
  std::vector<Hit> hits;
  for (Trace& trace : repository->actions().search_text(words, query.where, query.limit + 1)) {
    if (trace.action_id == query.action_id) continue;
    Hit& hit = hits.emplace_back();
    hit.trace = std::move(trace);
    std::string searched = subject_text(hit.trace) + ' ' + hit.trace.resource.name;
    std::ranges::transform(searched, searched.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const std::string& word : words) {
      if (searched.find(word) != searched.npos) hit.explain.matched_terms.push_back(word);
    }
    hit.score = static_cast<double>(hit.explain.matched_terms.size()) / static_cast<double>(words.size());
    hit.explain.route = "text";
    hit.explain.fallback = trouble;
  }
  std::erase_if(hits, [&](const Hit& hit) { return query.threshold && hit.score < *query.threshold; });
  if (hits.size() > static_cast<std::size_t>(query.limit)) hits.resize(static_cast<std::size_t>(query.limit));
  return hits;
}

std::vector<Hit> History::similar(const SimilarQuery& query) {
  State& state = alive(state_);
  const int given = !query.text.empty() + !query.action_id.empty() + !query.vector.empty();
  if (given != 1) {
    throw Error(ErrorCode::invalid_argument, "similar: give exactly one of text, action_id and vector");
  }
  if (query.limit < 1 || query.limit > 1000) {
    throw Error(ErrorCode::invalid_argument, "limit: must be between 1 and 1000");
  }
  if (query.threshold && !(*query.threshold >= 0 && *query.threshold <= 1)) {
    throw Error(ErrorCode::invalid_argument, "threshold: must be between 0 and 1");
  }
  Router::Call call(state.router,
                    query.text.empty() ? UseCase::similar_actions : UseCase::natural_language_search);
  std::string text = query.text;
  if (!query.action_id.empty()) {
    const auto trace = state.repository->actions().get(query.action_id);
    if (!trace) not_stored(query.action_id);
    text = subject_text(*trace);
  }
  state.redactor.redact(text);
  if (query.fresh && state.sync) state.wait_indexed(30s);

  const std::string trouble = state.index_trouble();
  if (trouble.empty()) return state.search_index(query, text);
  call.fell_back();
  if (!query.vector.empty())
    throw Error(ErrorCode::unavailable, "similar: a vector needs the index, but " + trouble);
  return state.search_database(query, text, trouble);
}

bool History::State::wait_indexed(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  const TimePoint since = now();
  auto pause = 1ms;
  for (;;) {
    const FeedHead head = repository->feed().head();
    const bool sequenced = head.queued == 0 || (head.oldest_queued_at && *head.oldest_queued_at > since);
    if (sequenced && replica->caught_up() && replica->seq() >= head.seq) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    sync->wake(true);
    std::this_thread::sleep_for(pause);
    pause = std::min(20ms, pause * 2);
  }
}

bool History::wait_indexed(std::chrono::milliseconds timeout) {
  State& state = alive(state_);
  if (!state.sync) throw Error(ErrorCode::unsupported, "wait_indexed: the semantic layer is off");
  return state.wait_indexed(timeout);
}

Health History::health() {
  State& state = alive(state_);
  Health health;
  health.index_on = state.sync != nullptr;
  health.routes = state.router.stats();
  if (state.sync) {
    health.index_error = state.sync->error();
    health.replica_seq = state.replica->seq();
    health.index = state.replica->index().stats();
  }
  try {
    health.engine = state.repository->maintenance().info();
    health.feed = state.repository->feed().head();
    health.ready = true;
  } catch (const Error& error) {
    health.error = error.what();
  }
  if (health.feed.oldest_queued_at) {
    const auto lag = std::max(state.now() - *health.feed.oldest_queued_at, std::chrono::microseconds{0});
    health.lag_seconds = std::chrono::duration<double>(lag).count();
  }
  return health;
}

Repository& History::repository() { return *alive(state_).repository; }

}  // namespace actionhist
