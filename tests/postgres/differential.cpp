// Both engines get the same thousands of random calls, with one clock, and have to answer each the same.
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/hash.hpp"
#include "support/effort.hpp"
#include "support/postgres_server.hpp"
#include "support/random_filters.hpp"

using namespace actionhist;
using namespace actionhist::test;

namespace {

template <class Items>
std::string list(const Items& items) {
  std::string text;
  for (const auto& item : items) text += to_json(item) + "\n";
  return text;
}

std::string text_of(const Trace& trace) {
  return to_json(trace) + (trace.stored ? " stored" : " known") +
         fmt::format(" {} {}", trace.created_at.time_since_epoch().count(),
                     trace.updated_at.time_since_epoch().count());
}

// The last digit of a sum depends on the order of the rows, which each engine chooses anew.
std::vector<CompactedActions> rounded(std::vector<CompactedActions> all) {
  for (CompactedActions& each : all) {
    for (double* sum : {&each.score_sum, &each.score_square_sum}) *sum = std::round(*sum * 1e9) / 1e9;
  }
  return all;
}

// A History whose answers are text.
class Side {
 public:
  Side(const std::string& uri, const FixedClock& clock)
      : history(open(uri, {.tenant = "t", .semantic = false, .clock = clock})) {}

  template <class Ask>
  std::string answer(Ask&& ask) {
    try {
      return without_made_ids(ask(history));
    } catch (const Error& error) {
      return fmt::format("{}: {}", to_string(error.code()), error.what());
    }
  }

  History history;

 private:
  // Ids of detections are random; what counts is which detection is meant.
  std::string without_made_ids(std::string text) {
    constexpr std::string_view key = "\"detection_id\":\"";
    for (std::size_t at = 0; (at = text.find(key, at)) != text.npos;) {
      at += key.size();
      const std::string id = text.substr(at, 36);
      const auto place = places_.try_emplace(id, places_.size()).first->second;
      text.replace(at, 36, fmt::format("detection {}", place));
    }
    return text;
  }

  std::map<std::string, std::size_t> places_;
};

class Differential {
 public:
  explicit Differential(unsigned seed)
      : random_(seed), embedded_("memory:", clock_), server_(fresh_database(shared_server()), clock_) {
    patterns();
  }

  void step() {
    clock_.advance(std::chrono::microseconds(1 + below(below(3) == 0 ? 180'000'000 : 900)));
    switch (below(17)) {
      case 0:
      case 1:
      case 2: return record();
      case 3: return record_batch();
      case 4:
      case 5: return propose();
      case 6: return complete();
      case 7: return assess();
      case 8: return change();
      case 9: return resource();
      case 10: return observe();
      case 11:
      case 12: return read_history();
      case 13: return read_scope();
      case 14: return feed();
      case 15: return retention();
      default: return search();
    }
  }

  // All that there is, at the end.
  void everything() {
    same("all", [](History& h) {
      std::string text;
      for (const Trace& trace : h.history({.limit = 10'000}).traces) text += text_of(trace) + "\n";
      return text + list(h.summaries()) + list(h.patterns()) + list(h.detections({.limit = 1000})) +
             std::to_string(h.repository().maintenance().verify().size());
    });
    same("alerts", [](History& h) {
      std::string text;
      for (const Alert& a : h.repository().resources().alerts(noon - 2400h, noon + 2400h)) {
        text += fmt::format("{} {} {} {} {}\n", a.name, a.fingerprint, a.severity, a.labels.text(),
                            a.ends_at ? a.ends_at->time_since_epoch().count() : 0);
      }
      return text;
    });
  }

  int answers = 0;
  int errors = 0;
  std::int64_t removed = 0;  // by the largest run of retention
  std::map<std::string, int> refused;

 private:
  int below(int n) { return random_.below(n); }
  TimePoint now() const { return clock_(); }

  template <class Ask>
  void same(const std::string& what, Ask&& ask) {
    const std::string ours = embedded_.answer(ask);
    const std::string theirs = server_.answer(ask);
    if (theirs != ours) {
      // The answers are long; what counts is where they part.
      const auto place = std::ranges::mismatch(ours, theirs).in1 - ours.begin();
      const auto from = static_cast<std::size_t>(std::max<std::ptrdiff_t>(place - 200, 0));
      FAIL(what << "\nSQLite:     …" << ours.substr(from, 400) << "\nPostgreSQL: …"
                << theirs.substr(from, 400));
    }
    ++answers;
    for (const char* code : {"invalid_argument: ", "conflict: ", "not_found: "}) {
      if (ours.starts_with(code)) ++errors;
    }
    if (ours.find("\"decision\":\"") != ours.npos && ours.find("\"decision\":\"allowed\"") == ours.npos) {
      ++refused[what];
    }
  }

  // One pattern for each kind, so that a proposal meets one detection at most.
  void patterns() {
    for (Side* side : {&embedded_, &server_}) {
      for (Pattern pattern : side->history.patterns()) {
        pattern.active = pattern.pattern_type == PatternType::action_budget ||
                         pattern.pattern_type == PatternType::scale_oscillation;
        if (pattern.pattern_type == PatternType::action_budget) pattern.min_occurrences = 4;
        pattern.resource_types = {pattern.pattern_type == PatternType::action_budget ? "StatefulSet"
                                                                                     : "Deployment"};
        side->history.put_pattern(pattern);
      }
    }
  }

  std::string known_id() {
    if (ids_.empty() || below(20) == 0) return "nobody";
    return ids_[static_cast<std::size_t>(below(static_cast<int>(ids_.size())))];
  }

  std::string new_id(TimePoint at) {
    switch (below(3)) {
      case 0: ids_.push_back(uuid_v7(at)); break;  // one that carries its time
      case 1:
        ids_.push_back(uuid_v7(at - std::chrono::hours(below(3))));
        break;  // one that may carry another
      default: ids_.push_back(fmt::format("c-{}", ids_.size()));
    }
    return ids_.back();
  }

  Action action() {
    Action action = random_.action(0);
    action.action_timestamp =
        std::chrono::floor<std::chrono::milliseconds>(now() - std::chrono::seconds(below(400'000)));
    if (below(3) == 0) *action.action_timestamp += std::chrono::microseconds(below(1000));
    action.action_id = below(5) == 0 ? known_id() : new_id(*action.action_timestamp);
    if (below(4) == 0) action.correlation_id = fmt::format("k-{}", below(4));
    if (below(4) == 0) action.session_id = fmt::format("s-{}", below(4));
    if (below(6) == 0) action.resource.uid = fmt::format("u-{}", below(3));
    if (below(6) == 0) action.resource.api_version = below(2) == 0 ? "apps/v1" : "apps/v1beta1";
    if (below(10) == 0) action.model_reasoning = "Grüße \"an\" 東京, 100% _sure_ \\ 'so'";
    if (below(40) == 0) action.action_type.clear();
    return action;
  }

  void record() {
    const Action given = action();
    same("record " + given.action_id, [&](History& h) { return text_of(h.record(given)); });
  }

  void record_batch() {
    std::vector<Action> batch;
    for (int i = 0, n = 1 + below(12); i < n; ++i) {
      batch.push_back(action());
      if (below(8) == 0) batch.push_back(batch[static_cast<std::size_t>(below(i + 1))]);
    }
    same("record a batch", [&](History& h) {
      std::string text;
      for (const Trace& trace : h.record(batch)) text += text_of(trace) + "\n";
      return text;
    });
  }

  void propose() {
    Action given;
    if (below(2) == 0) {
      replicas_ = below(3) == 0 ? below(10) : replicas_ == 3 ? 6 : 3;
      given = scale("", 9 - replicas_, replicas_, now());
      given.resource.name = fmt::format("web-{}", below(2));
    } else {
      given = restart("");
      given.resource.kind = "StatefulSet";
      given.resource.name = below(3) == 0 ? "" : fmt::format("db-{}", below(3));
      if (given.resource.name.empty()) given.correlation_id = fmt::format("p-{}", below(2));
    }
    given.action_timestamp.reset();
    given.action_id = below(4) == 0 && !proposed_.empty()
                          ? proposed_[static_cast<std::size_t>(below(static_cast<int>(proposed_.size())))]
                          : new_id(now());
    proposed_.push_back(given.action_id);
    same("check", [&](History& h) { return to_json(h.check(given)); });
    same("propose " + given.action_id, [&](History& h) { return to_json(h.propose(given)); });
  }

  void complete() {
    const std::string id = below(2) == 0 && !proposed_.empty() ? proposed_.back() : known_id();
    Outcome outcome = completed(below(3) == 0 ? std::optional(below(11) / 10.0) : std::nullopt);
    if (below(3) == 0) outcome.status = Status::failed;
    if (below(3) == 0) outcome.resource_state_after = Json::object({{"replicas", below(9)}});
    if (below(4) == 0) outcome.execution_error = "it failed";
    const bool correction = below(3) == 0;
    same("complete " + id, [&](History& h) { return text_of(h.complete(id, outcome, correction)); });
  }

  void assess() {
    const std::string id = known_id();
    Assessment assessment{.health = below(2) ? std::optional(below(11) / 10.0) : std::nullopt,
                          .alert = below(2) ? std::optional(below(11) / 10.0) : std::nullopt};
    if (below(3) == 0) assessment.notes = "as seen";
    same("assess " + id, [&](History& h) { return text_of(h.assess(id, assessment)); });
  }

  void change() {
    const std::string id = known_id(), other = known_id();
    switch (below(4)) {
      case 0: return same("erase " + id, [&](History& h) { return std::to_string(h.erase(id)); });
      case 1: return same("start " + id, [&](History& h) { return text_of(h.start(id)); });
      case 2: return same("link " + id, [&](History& h) { return text_of(h.link(id, other, "correction")); });
      default:
        same("get " + id, [&](History& h) {
          const auto trace = h.get(id);
          return trace ? text_of(*trace) : "";
        });
    }
  }

  void resource() {
    const Resource given{.cluster = below(3) == 0 ? "c" : "",
                         .kind = "Deployment",
                         .namespace_ = "prod",
                         .name = below(2) == 0 ? "web" : "seen",
                         .uid = below(2) == 0 ? fmt::format("u-{}", below(3)) : ""};
    if (below(2) == 0) {
      return same("resource_deleted", [&](History& h) { return std::to_string(h.resource_deleted(given)); });
    }
    same("resource_seen", [&](History& h) {
      h.resource_seen(given);
      return std::string();
    });
  }

  void observe() {
    Alert alert;
    alert.name = below(2) == 0 ? "HighLoad" : "KubePodCrashLooping";
    alert.starts_at = std::chrono::floor<std::chrono::minutes>(now() - std::chrono::minutes(below(5)));
    if (below(2) == 0) alert.ends_at = now();
    if (below(2) == 0) alert.severity = "critical";
    if (below(2) == 0) alert.labels = Json::object({{"pod", below(3)}});
    if (below(2) == 0) alert.resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web"};
    same("observe", [&](History& h) {
      h.observe(alert);
      return std::string();
    });
  }

  void read_history() {
    ActionQuery query{.limit = 1 + below(30)};
    if (below(2) == 0) query.where = random_.filter();
    if (below(4) == 0) query.resource.name = below(2) == 0 ? "web" : "api";
    if (!query.resource.name.empty() && below(2) == 0) query.resource.kind = "Deployment";
    if (below(5) == 0) query.correlation_id = fmt::format("k-{}", below(4));
    if (below(4) == 0) query.since = now() - std::chrono::seconds(below(400'000));
    if (below(4) == 0) query.until = now() - std::chrono::seconds(below(100'000));
    if (below(30) == 0) query.limit = 0;
    if (below(30) == 0) query.cursor = "nonsense";
    std::string next;
    for (int page = 0; page < 4; ++page) {
      same("history " + query.where.text(), [&](History& h) {
        const Page found = h.history(query);
        next = found.next;
        return list(found.traces) + found.next;
      });
      if (next.empty()) return;
      query.cursor = next;
    }
  }

  void read_scope() {
    DetectQuery wanted;
    switch (below(3)) {
      case 0: wanted.resource = {.kind = "Deployment", .name = fmt::format("web-{}", below(2))}; break;
      case 1: wanted.correlation_id = fmt::format("p-{}", below(3)); break;
      default: wanted.session_id = fmt::format("s-{}", below(4));
    }
    if (below(2) == 0) wanted.as_of = now() - std::chrono::seconds(below(10'000));
    same("detect", [&](History& h) { return list(h.detect(wanted)); });
    const auto since =
        below(2) == 0 ? std::optional(now() - std::chrono::seconds(below(100'000))) : std::nullopt;
    const int most = 1 + below(10);
    same("summaries", [&](History& h) { return list(h.summaries(since, most)); });
    DetectionQuery found{.since = since, .unresolved = below(2) == 0, .limit = most};
    if (below(2) == 0) found.pattern_id = to_string(static_cast<PatternType>(below(5)));
    if (below(2) == 0) found.resource = {.kind = "Deployment", .name = fmt::format("web-{}", below(2))};
    if (below(3) == 0) found.until = now() - std::chrono::seconds(below(10'000));
    same("detections", [&](History& h) { return list(h.detections(found)); });
    same("in force", [&](History& h) { return list(h.repository().patterns().in_force({}, now())); });
  }

  // A worker's batch, and a replica's.
  void feed() {
    const int limit = 1 + below(20);
    same("feed", [&](History& h) {
      FeedStore& feed = h.repository().feed();
      std::string text;
      const auto queued = feed.queued(limit);
      h.repository().spaces().put("space", 2, noon);
      std::vector<FeedSubject> subjects;
      for (const QueuedSubject& row : queued) {
        text += fmt::format("{} {} {}\n", row.subject_id, row.version, row.attempts);
        const auto trace = h.get(row.subject_id);
        const std::string words = trace ? trace->action_type + trace->model_reasoning : "";
        subjects.push_back({.subject_id = row.subject_id,
                            .text = words,
                            .content_hash = sha256_hex(words),
                            .deleted = !trace});
      }
      feed.sequence(subjects, queued);
      std::vector<std::string> ids;
      for (const FeedSubject& subject : subjects) ids.push_back(subject.subject_id);
      std::vector<FeedEmbedding> embeddings;
      for (const FeedSubject& subject : feed.unembedded("space", ids)) {
        text += fmt::format("embed {} {}\n", subject.subject_id, subject.seq);
        embeddings.push_back({.subject_id = subject.subject_id,
                              .space_id = "space",
                              .content_hash = subject.content_hash,
                              .vector = {1.5F, static_cast<float>(subject.seq)}});
      }
      feed.append(embeddings, queued);
      const FeedBatch batch = feed.read("space", {replica_}, 50);
      for (const FeedSubject& s : batch.subjects) {
        text += fmt::format("{} {} {} {}\n", s.subject_id, s.seq, s.deleted, s.content_hash);
      }
      for (const FeedEmbedding& e : batch.embeddings) {
        text += fmt::format("{} {} {}\n", e.subject_id, e.seq, fmt::join(e.vector, " "));
      }
      const FeedHead head = feed.head();
      last_ = batch.last.seq;
      return text + fmt::format("{} {} {} {}", batch.last.seq, head.seq, head.queued, head.failed);
    });
    replica_ = last_;
  }

  void retention() {
    Resource of;
    if (below(2) == 0)
      of = {.kind = "Deployment", .namespace_ = "prod", .name = below(2) == 0 ? "web" : "api"};
    switch (below(4)) {
      case 0: {
        std::optional<RetentionPolicy> policy;
        if (below(4) > 0) {
          policy = RetentionPolicy{
              .max_actions = below(3) > 0 ? std::optional(1 + below(6)) : std::nullopt,
              .max_age = below(3) == 0 ? std::optional(std::chrono::days(1 + below(3))) : std::nullopt,
              .strategy = static_cast<RetentionStrategy>(below(3)),
              .pattern_examples = below(3),
              .high_effectiveness = below(3),
              .legal_hold = below(12) == 0,
              .compact = below(2) == 0};
        }
        return same("set_retention_policy", [&](History& h) {
          h.set_retention_policy(policy, of);
          return list(h.retention_policies());
        });
      }
      case 1:
        return same("retention_plan", [&](History& h) { return list(h.retention_plan({.resource = of})); });
      case 2: {
        const int batch = 1 + below(20);
        return same("apply_retention", [&](History& h) {
          const RetentionRun run = h.apply_retention({.resource = of, .batch = batch});
          removed = std::max(removed, run.removed);
          std::string text = std::to_string(run.removed);
          for (RetentionOperation operation : run.operations) {
            operation.operation_id.clear();
            operation.run_id.clear();
            text += "\n" + to_json(operation);
          }
          return text;
        });
      }
      default: return same("compacted", [&](History& h) { return list(rounded(h.compacted(of))); });
    }
  }

  void search() {
    SimilarQuery query{.text = below(2) == 0 ? "pod crashes restart" : "Grüße web 100%", .limit = 5};
    if (below(2) == 0) query.where = random_.filter();
    same("similar", [&](History& h) {
      std::string text;
      for (const Hit& hit : h.similar(query)) text += to_json(hit) + "\n";
      return text;
    });
    const RecommendQuery situation{.text = below(2) == 0 ? "pod crashes" : "",
                                   .alert_name = below(2) == 0 ? "HighLoad" : "KubePodCrashLooping",
                                   .resource = {.kind = "Deployment", .namespace_ = "prod", .name = "web"}};
    same("recommend", [&](History& h) { return to_json(h.recommend(situation)); });
  }

  RandomFilters random_;
  FixedClock clock_;
  Side embedded_;
  Side server_;
  std::vector<std::string> ids_, proposed_;
  int replicas_ = 3;
  std::int64_t replica_ = 0;
  std::int64_t last_ = 0;
};

}  // namespace

TEST_CASE("both engines answer thousands of random calls the same", "[postgres][differential]") {
  const unsigned seed = GENERATE(1, 2, 3);
  INFO("seed " << seed);
  Differential run(seed);
  for (int i = 0; i < effort(800); ++i) run.step();
  run.everything();
  CHECK(run.answers > effort(800));
  // A shortened run need not come as far as errors and refusals.
  if (effort(800) < 800) return;
  CHECK(run.errors > 10);
  CHECK(run.refused.size() > 1);
  CHECK(run.removed > 0);
}
