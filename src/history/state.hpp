// The inside of a History: the database, the guard, the index, and what every call needs of them.
// Internal to history/; the parts of History are spread over the files of their nouns.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/error.hpp>
#include <actionhist/history.hpp>

#include "core/owner_process.hpp"
#include "core/refuse.hpp"
#include "history/guard.hpp"
#include "history/index.hpp"
#include "history/redaction.hpp"
#include "history/router.hpp"
#include "history/upkeep_thread.hpp"
#include "history/webhooks.hpp"

namespace actionhist {

// So many words of a query the database looks for where the index does not answer.
inline constexpr std::size_t max_fallback_words = 16;

struct History::State {
  State(std::unique_ptr<Repository> opened, Options given);

  TimePoint now() const { return options.clock(); }

  // Wakes the worker after a write.
  void written() {
    if (const auto index = slot.get()) index->sync->wake(false);
  }

  // Everything that is derived from what the agent gave. Redaction comes first, so that no secret is hashed.
  Trace prepare(Action action, bool proposed) const;

  // Changes one stored trace in a transaction; `change` returns false when there is nothing to change.
  // Throws Error: not_found.
  Trace update(std::string_view action_id, const std::function<bool(Trace&)>& change);

  // Notes that the score of this action came, changed or went. REQUIRES: inside a transaction.
  void mark_scored(const Trace& trace);

  // Asks the guard and stores what it allows; with an override, in any case.
  Verdict propose(const Action& action, const Override* given);

  // Tells the host what was refused, and what would have been.
  void notify(const Verdict& verdict, const std::string& action_id);
  // Tells the host what was found in actions that were done.
  void notify(const std::vector<Detection>& found);

  Analysis analyse(int limit);
  Settlement settle(int limit);
  // Nothing when another one is at it, here or in another process.
  std::optional<MetricRefresh> try_refresh_metrics();
  Upkeep upkeep();

  // Why the index cannot answer, empty if it can. Null: the semantic layer is off.
  std::string index_trouble(const Index* index) const;

  // What the index finds or, if it cannot answer, what the words in the database do; `trouble` says why then.
  // Throws Error: unavailable for a vector without an index. Null: the semantic layer is off.
  std::vector<Hit> search(const Index* index, const SimilarQuery& query, const std::string& text,
                          std::string& trouble) const;
  std::vector<Hit> search_index(const Index& index, const SimilarQuery& query, const std::string& text) const;
  // The first `most` of these that the database still has; `fallback` as in Explanation.
  std::vector<Hit> stored_hits(const Index& index, std::vector<IndexHit> nearest, int most,
                               const std::string& fallback) const;
  std::vector<Hit> search_database(const SimilarQuery& query, const std::string& text,
                                   const std::string& trouble) const;
  // The situation of a query and the past actions like it, for recommend() and context().
  std::string situation_text(const RecommendQuery& query) const;
  // Asks `go_on` again and again, and gives up when it says no.
  bool wait_indexed(std::chrono::milliseconds timeout, const std::function<bool()>& go_on);
  // After waiting for half a minute, or until something fails, as a query that is `fresh` does: why the index still
  // lacks what was recorded, empty if it has all.
  std::string behind();

  // As IndexSlot::model_of. Throws Error: not_found.
  std::shared_ptr<const EmbeddingModel> required_model(std::string_view space_id) const;

  // Works until the queue is empty; how many rows it took. Throws Error: unavailable when nothing moves.
  std::int64_t drain_queue(const std::function<void(const EmbeddingProgress&)>& progress);

  Options options;
  std::unique_ptr<Repository> repository;
  Redactor redactor;
  Guard guard;
  Router router;
  Webhooks webhooks{[this](const std::string& text) { warn("webhook: " + text); }};
  IndexSlot slot;                         // its threads use all of the above
  OwnerProcess process;
  std::unique_ptr<UpkeepThread> upkeep_;  // last: it uses all of the above

 private:
  void warn(const std::string& text) const;
  void refuse_old_schema();
  // Gives the notices of patterns with alerting_enabled to the host, and the new ones to their webhooks.
  void tell(std::vector<DetectionNotice> notices);
  void tell_host(const DetectionNotice& notice) const;
  // A tenant without any pattern gets the shipped ones.
  void ship_patterns();
  void start_upkeep();
};

// What identifies an alert that has no fingerprint of its own; empty without a name.
std::string fingerprint_of(std::string_view alert_name, const Json& labels, const std::string& resource_id);

// The duration from start and end; absent without them, and for times that give none.
std::optional<std::int64_t> duration_of(const Outcome& outcome);
// Takes it where none was given.
void fill_duration(Outcome& outcome);

[[noreturn]] void not_stored(std::string_view action_id);

// Throws Error: invalid_argument when the History was moved from, unsupported after fork().
template <class State>
State& alive(const std::unique_ptr<State>& state) {
  if (!state) refuse("history", "is closed");
  state->process.require("history");
  return *state;
}

}  // namespace actionhist
