// Where actions are kept; a part of Repository, whose rules of threads and errors hold here.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>
#include <actionhist/guard_view.hpp>
#include <actionhist/query.hpp>
#include <actionhist/recent_trace.hpp>
#include <actionhist/summary.hpp>
#include <actionhist/time.hpp>

namespace actionhist {

class ActionStore {
 public:
  virtual ~ActionStore() = default;

  // Stores those that are new, with their resources, counters and queue rows. Returns one trace for each,
  // in order; `stored` is false for an id that was there already, and then the stored trace is returned.
  // Throws Error: conflict when an id was deleted before.
  virtual std::vector<Trace> insert(std::span<const Trace> traces) = 0;

  // Stores a trace whose id this transaction has found free. An engine may send it together with the commit,
  // and runs the transaction again if the id was taken meanwhile.
  // REQUIRES: inside transaction().
  virtual void insert_new(const RecentTrace& trace) { insert({&*trace, 1}); }

  virtual std::optional<Trace> get(std::string_view action_id) = 0;
  // Those of the actions that are stored, in the order of their ids, read as one statement.
  virtual std::vector<Trace> get(std::span<const std::string> action_ids) = 0;
  virtual Page find(const ActionQuery& query) = 0;

  // As get(), for update(): what is changed meanwhile by others is not lost.
  // REQUIRES: inside transaction().
  virtual std::optional<Trace> get_to_update(std::string_view action_id) { return get(action_id); }
  // Writes outcome, follow-ups and updated_at of a trace, which was `before`, and its queue row. An engine may run
  // the transaction again if the trace has changed since.
  // Throws Error: not_found.
  virtual void update(const Trace& trace, const Trace& before) = 0;

  // Appends a tombstone and removes the trace; its id stays taken. False if there is none. After an unanswered()
  // run with the same `now`: whether that one removed it.
  virtual bool remove(std::string_view action_id, TimePoint now) = 0;

  // Takes the guard heads of `scopes` for this transaction, in order of their keys. Others wait.
  // REQUIRES: inside transaction().
  virtual void lock(std::span<const Scope> scopes) = 0;

  // The actions of a scope in [since, until], oldest first; the newest `limit` if there are more. Those of one effect
  // are looked for among the newest 4,096.
  virtual std::vector<Trace> recent(const Scope& scope, TimePoint since, TimePoint until, int limit,
                                    std::optional<Effect> effect = {}) = 0;
  // Those that a decision looks at: the newest `most`, and older ones that mutate as far as fewer than `most` of them
  // do, so that an agent that only looks hides nothing.
  std::vector<Trace> judged(const Scope& scope, TimePoint since, TimePoint until, int most);

  // The newest traces whose text holds at least one of `words`, those with more words first.
  virtual std::vector<Trace> search_text(std::span<const std::string> words, const Json& where,
                                         int limit) = 0;

  // Of the resources that were acted on last, those only that changed since then.
  virtual std::vector<Summary> summaries(std::optional<TimePoint> changed_since, TimePoint now,
                                         int limit) = 0;
};

}  // namespace actionhist
