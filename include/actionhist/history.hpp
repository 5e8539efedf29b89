// The memory itself: record, guard, search. open() gives one.
// A History may be used from any thread at once. After fork() the parent goes on; in the child every call
// throws Error: unsupported, and the destructor touches nothing. A child that needs a History of its own is
// started with exec or spawn: locks that the parent held at the fork stay locked in the child.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <actionhist/action.hpp>
#include <actionhist/alert.hpp>
#include <actionhist/anomaly.hpp>
#include <actionhist/checkpoints.hpp>
#include <actionhist/context.hpp>
#include <actionhist/detection.hpp>
#include <actionhist/discovery.hpp>
#include <actionhist/effectiveness.hpp>
#include <actionhist/embedding.hpp>
#include <actionhist/evaluation.hpp>
#include <actionhist/health.hpp>
#include <actionhist/items.hpp>
#include <actionhist/options.hpp>
#include <actionhist/query.hpp>
#include <actionhist/recommendation.hpp>
#include <actionhist/repository.hpp>
#include <actionhist/retention.hpp>
#include <actionhist/similar.hpp>
#include <actionhist/summary.hpp>
#include <actionhist/upkeep.hpp>
#include <actionhist/verdict.hpp>

namespace actionhist {

// What import_actions() did.
struct ActionImport {
  std::int64_t stored = 0;
  std::int64_t completed = 0;  // were stored already, without the outcome that they have now
  std::int64_t present = 0;    // were stored already, and stay as they are
};

std::string to_json(const ActionImport& result);

class History {
 public:
  explicit History(std::unique_ptr<Repository> repository, Options options = {});
  ~History();
  History(History&&) noexcept;
  History& operator=(History&&) noexcept;

  // Stores an action as it happened, without asking the guard. An action whose id is already stored is
  // returned as it stands, whatever is told of it now (`stored` is false). Throws Error: invalid_argument, conflict (a
  // deleted id), unavailable.
  Trace record(const Action& action);

  // Stores all in one transaction and returns their traces in order. On error nothing is stored; where the fault lies
  // in one of several, the message names its position or its id.
  std::vector<Trace> record(std::span<const Action> actions);

  // Stores what another source tells, which may tell of an action again once it has ended: as record(), and where an
  // action is stored that has not ended and is told of as ended, its outcome completes it. In one transaction; the same
  // again changes nothing. Throws Error as record() and complete() do.
  ActionImport import_actions(std::span<const Action> actions);

  // Asks the guard and, if it allows, stores the action as pending, in one transaction: two agents never
  // both pass. A refusal stores the detection, not the action. The same action_id again gets the same
  // verdict, `repeated`, until the action has ended: what is done again is another action. Throws Error:
  // invalid_argument, also for a time more than ten minutes ago; conflict (a deleted id, one of an action that ended, or
  // one that is stored with another action_type, resource or action_parameters), unavailable, timeout.
  Verdict propose(const Action& action);

  // The same, but a refusal does not hold: the action is stored, and who let it pass and why are kept.
  // Throws Error: invalid_argument when the override names no actor or no reason.
  Verdict propose(const Action& action, const Override& override_);

  // The same decision, without writing anything.
  Verdict check(const Action& action);

  // pending → executing, at the clock's time if none is given. Of several that start an action one gets a trace that is
  // `stored`; the others find it executing, get it as it stands (`stored` is false), and must not do it too.
  // Throws Error: not_found, conflict (no legal change).
  Trace start(std::string_view action_id, std::optional<TimePoint> at = {});

  // Adds what became of the action. The same outcome again returns the stored trace; other fields of the same status
  // replace what they name, and what the outcome leaves empty keeps its value. After another terminal status it is a
  // conflict unless `correction`, or what was completed is rolled back. A duration that was not given follows the times.
  // An end up to five minutes before a start that was stored earlier becomes that start: the two clocks differ.
  // Throws Error: not_found, conflict.
  Trace complete(std::string_view action_id, const Outcome& outcome, bool correction = false);

  // Adds or replaces the effectiveness. Nothing assessed leaves it absent. Throws Error: not_found.
  Trace assess(std::string_view action_id, const Assessment& assessment);

  // Notes that an alert fired or ended.
  void observe(const Alert& alert);

  // Adds {"action_id": follow_up, "relation": relation} to the follow-ups of `action_id`, once. The follow-up need not
  // be stored. Throws Error: not_found.
  Trace link(std::string_view action_id, std::string_view follow_up, std::string_view relation);

  // The action, if it is stored.
  std::optional<Trace> get(std::string_view action_id);
  // Actions that pass a filter, in stable pages. Throws Error: invalid_argument, also for a resource "unknown", which is
  // stored as none.
  Page history(const ActionQuery& query);
  // One row for each resource that was acted on, those only that changed since then; at most `limit` (1 to
  // 1,000,000), the last touched first.
  std::vector<Summary> summaries(std::optional<TimePoint> changed_since = {}, int limit = 1000);

  // Notes that a resource is there; a uid that differs from the last begins a new incarnation. At the clock's time if
  // none is given; what was seen later already stays as it is.
  void resource_seen(const Resource& resource, std::optional<TimePoint> at = {});
  // Notes that it is gone, unless it was seen later. False if it was never seen or acted on.
  bool resource_deleted(const Resource& resource, std::optional<TimePoint> at = {});

  // Forgets an action: it leaves the table now and every index soon. Its id stays taken. False if there is none.
  // Throws Error: conflict under a legal hold.
  bool erase(std::string_view action_id);

  // A resource is its cluster, API group, kind, namespace and name. Where calls from here on take one, cluster and group
  // may be left out if only one resource has the rest; if several have, invalid_argument says which. One that was deleted
  // and not acted on since counts here only where there is no other, except for retention: its actions are still there.

  // The policy that a resource follows; without one, the default. Both keep everything until a policy is set.
  RetentionPolicy retention_policy(const Resource& resource = {});
  // Sets the policy of one resource, which need not have been acted on yet, or the default for all others; absent takes
  // it away. A default with a legal hold holds every resource; a hold on a resource holds what was done to it under an
  // owner too, and where it has no cluster, API group or namespace, whatever has its other names.
  // Throws Error: invalid_argument.
  void set_retention_policy(const std::optional<RetentionPolicy>& policy, const Resource& resource = {});
  // All that were set, the default first.
  std::vector<RetentionRule> retention_policies();

  // What would go now, without changing anything: one plan for each resource from which something would, or of
  // which more actions must stay than its policy's number.
  std::vector<RetentionPlan> retention_plan(const RetentionRequest& request = {});
  // Removes what the plan says, in small transactions: after an error, a crash or a kill what is gone is
  // gone, the rest is there, and another call goes on. Throws Error as erase does for each transaction.
  RetentionRun apply_retention(const RetentionRequest& request = {});
  // What runs did, the newest first.
  std::vector<RetentionOperation> retention_operations(int limit = 100);
  // What policies with `compact` have left of a resource.
  std::vector<CompactedActions> compacted(const Resource& resource = {});

  // Looks for patterns as of a moment, without writing anything, in the newest 10,000 actions of the scope, by the
  // patterns' own thresholds: what set_guard_policy() says counts for proposals and analyse(). Strongest first.
  // Throws Error: invalid_argument when no scope is named.
  std::vector<Detection> detect(const DetectQuery& query);

  // What is watched for, active or not; at first the defaults that are shipped.
  std::vector<Pattern> patterns();
  // Adds a pattern, or replaces the one with its id. Throws Error: invalid_argument.
  void put_pattern(const Pattern& pattern);
  // Its detections stay. False if there is none; with PostgreSQL also if the answer to a first try was lost.
  bool remove_pattern(std::string_view pattern_id);

  // The detection, if it is stored.
  std::optional<Detection> detection(std::string_view detection_id);
  // Newest first. Throws Error: invalid_argument, also when several resources could be meant.
  std::vector<Detection> detections(const DetectionQuery& query = {});
  // Ends a detection: it refuses nothing any more. Resolved again, the latest word counts.
  // Throws Error: not_found.
  Detection resolve(std::string_view detection_id, const Resolution& resolution = {});
  // Ends the detections whose time has passed or whose alert has ended, judges preventions of more than a day
  // ago, and brings the patterns' rates up to date. At most `limit` detections at once.
  Settlement settle(int limit = 1000);
  // Looks for patterns in resources of which something changed, those that wait longest first, a resource at most
  // every 15 minutes: in what was recorded without asking, too. What is found is noted and refuses nothing.
  Analysis analyse(int limit = 100);
  // Does what is due from time to time: analyse(), settle(), refresh_metrics(). Safe in many processes at once.
  Upkeep upkeep();
  // Who let refused actions pass, newest first.
  std::vector<OverrideRecord> overrides(std::optional<TimePoint> since = {}, int limit = 100);

  // What the guard takes for a resource instead of each pattern's own.
  GuardPolicy guard_policy(const Resource& resource);
  void set_guard_policy(const Resource& resource, const GuardPolicy& policy);

  // Past actions like this one, best first. Falls back to the text search of the database when the index
  // cannot answer, and says so in each hit.
  std::vector<Hit> similar(const SimilarQuery& query);

  // What worked and what did not in situations like this one, best first. Falls back like similar(), and says so.
  // Throws Error: invalid_argument when nothing says what the situation is.
  Recommendations recommend(const RecommendQuery& query);

  // What a language model should know before it acts: what the guard refuses, warnings, what worked, what to
  // avoid, the last 24 hours in detail and the 90 days before in sums, within a budget of tokens.
  // Throws Error: invalid_argument when nothing says what the situation is.
  Context context(const ContextQuery& query);

  // Computes the metrics of the periods whose scores changed; with `full`, of all. Both give the same. Waits while
  // another one is at it, here or in another process.
  MetricRefresh refresh_metrics(bool full = false);
  // As of the last refresh, newest period first; those of a single resource are computed now, from the newest 10,000 of
  // its actions in these periods.
  std::vector<EffectivenessMetric> metrics(const MetricQuery& query = {});
  // Ended actions whose assessment is due (effectiveness_due_at), each to one worker at a time. What is not
  // assessed before the lease ends is given out again.
  std::vector<Trace> lease_assessments(std::string_view worker, int limit = 10,
                                       std::chrono::seconds lease = std::chrono::seconds{60});

  // Runs of actions whose steps follow each other as they hardly ever did in the runs before.
  Anomalies anomalies(const AnomalyQuery& query = {});
  // Groups of similar actions, with names.
  Clusters clusters(const ClusterQuery& query = {});
  // Actions that say nearly the same, the largest group first.
  std::vector<Duplicates> duplicates(const DuplicateQuery& query = {});
  // The actions as points of a picture.
  Projection projection(const ProjectionQuery& query = {});

  // What agents keep beside their actions. Both live as long as the History.
  Items items();
  Checkpoints checkpoints();

  // Waits until everything committed before the call is searchable here. False when the time is up.
  // `meanwhile` is called every few milliseconds; what it throws ends the wait.
  // Throws Error: unsupported when the semantic layer is off.
  bool wait_indexed(std::chrono::milliseconds timeout, const std::function<void()>& meanwhile = {});

  // The embedding spaces of the tenant, by id.
  std::vector<EmbeddingSpace> spaces();
  // Makes a space the tenant's: embeds what has no vector in it yet, compares how well both find on what is
  // stored, and switches in one step, which every process follows. Does not switch to a worse one. Its model is
  // that of the options (whose space an empty id means), a built-in or a fitted one; a space of imported vectors
  // has none. After an error, or a kill, another call goes on. Throws Error: not_found, conflict (vectors are
  // missing; not with `force`).
  SpaceSwitch switch_space(std::string_view space_id, const SwitchOptions& options = {});
  // Fits a model on the texts of what is stored (latent semantic analysis) and keeps it with the tenant as a
  // space, which it returns. Nothing searches it before switch_space(). Worth repeating when the memory has doubled.
  // Throws Error: invalid_argument when too little is stored.
  EmbeddingSpace fit_space(const FitOptions& options = {});
  // Forgets a space with its vectors. False if there is none. Throws Error: conflict for the tenant's space.
  bool drop_space(std::string_view space_id);
  // Queues stored actions that the feed does not know, works off the queue and embeds what has no vector in the
  // tenant's space, with or without the semantic layer. After an error, or a kill, another call goes on.
  // Returns how many subjects were dealt with. Throws Error: unavailable when the model fails.
  std::int64_t backfill(const std::function<void(const EmbeddingProgress&)>& progress = {});
  // Stores vectors in a space, which is made if need be. Throws Error: invalid_argument, naming the position;
  // conflict for another dimension than the space has, or when it is dropped meanwhile.
  VectorImport import_vectors(std::string_view space_id, std::span<const SubjectVector> vectors);
  // What the model refuses, the oldest first.
  std::vector<FailedSubject> failed_subjects(int limit = 100);
  // Has these embedded again, or all if none is named; how many it were.
  std::int64_t retry_failed(std::span<const std::string> subject_ids = {});
  // How well searches find on what is stored, in each space and by words alone.
  Evaluation evaluate(const EvaluationOptions& options = {});

  // Never throws for an unreachable database: it says so.
  Health health();

  // The storage beneath, for hosts that maintain it. Lives as long as the History.
  Repository& repository();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// "memory:", "sqlite:PATH" or a bare path, or "postgresql://USER@HOST,HOST/DATABASE". The tenant and everything
// else are options; with PostgreSQL a tenant must be named.
// Throws Error: invalid_argument, denied, unavailable, corrupt, unsupported.
History open(std::string_view uri, Options options = {});

// The storage alone, for maintenance. Unlike open() it also takes a database whose schema is older than the
// library's, so that migration_script() can say what is missing; one that is newer is refused.
std::unique_ptr<Repository> open_repository(std::string_view uri, const Options& options = {});

}  // namespace actionhist
