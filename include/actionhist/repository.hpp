// Where the memory is kept. Two engines implement it; History is written against it alone.
// A Repository may be used from any thread at once. Every method is atomic by itself; transaction() makes
// several calls one. A Repository belongs to one tenant: no call can name another. In the child of a fork() calls
// throw Error: unsupported and the destructor touches nothing; so do Items and Checkpoints, which are made of it.
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
#include <actionhist/detection.hpp>
#include <actionhist/item_store.hpp>
#include <actionhist/learning_store.hpp>
#include <actionhist/metric_store.hpp>
#include <actionhist/query.hpp>
#include <actionhist/recent_trace.hpp>
#include <actionhist/retention.hpp>
#include <actionhist/space.hpp>
#include <actionhist/summary.hpp>

namespace actionhist {

// What a proposal locks and reads: all recent actions on one resource, of one correlation, or of one
// session.
enum class ScopeKind { resource, correlation, session };

struct Scope {
  ScopeKind kind = ScopeKind::resource;
  std::string key;

  friend auto operator<=>(const Scope&, const Scope&) = default;
};

std::string to_string(const Scope& scope);  // "resource:4f1c…"

struct EarlierAlertQuery;
struct GuardView;

// What a proposal asks of the storage.
struct GuardQuestion {
  std::string action_id;
  std::vector<Scope> scopes;
  TimePoint now{};
  std::chrono::microseconds window{};  // how far back actions are read
  std::chrono::microseconds alerts{};  // how far back alerts are read
  int max_traces = 0;                  // of each scope, as ActionStore::judged says
  // How far back, to know what is usual: alerts that fired before those that are read, if there are any and recent
  // actions too, and the actions of a busy resource.
  std::chrono::microseconds baseline{};
  Alert answered = {};  // by the action: fingerprint, severity and its namespace
  std::chrono::microseconds busy_span{};
  int busy_actions = 0;

  // Whether the scope is a resource with so many actions in the last busy_span. REQUIRES: they are by time.
  bool busy(const Scope& scope, std::span<const RecentTrace> recent) const;
  // Whether earlier alerts count beside what was read already, and what to ask of them then.
  bool asks_earlier(const GuardView& view) const;
  EarlierAlertQuery earlier(const GuardView& view) const;
};

// Rows that several answers may share; they live as long as any of these.
template <class Row>
class SharedRows : public std::span<const Row> {
 public:
  SharedRows() = default;
  explicit SharedRows(std::vector<Row> rows)
      : SharedRows(std::make_shared<const std::vector<Row>>(std::move(rows))) {}
  SharedRows(std::shared_ptr<const void> owner, std::span<const Row> rows)
      : std::span<const Row>(rows), owner_(std::move(owner)) {}

 private:
  explicit SharedRows(const std::shared_ptr<const std::vector<Row>>& rows) : SharedRows(rows, *rows) {}

  std::shared_ptr<const void> owner_;
};

// What to say of alerts that fired in [since, until): of those with these fingerprints how often, and which of these
// namespaces had a critical one.
struct EarlierAlertQuery {
  std::vector<std::string> fingerprints;
  std::vector<std::string> namespaces;
  TimePoint since{};
  TimePoint until{};
};

// The answer: all that the decision on a proposal depends on.
struct GuardView {
  std::optional<Trace> stored;  // the action itself, if its id is taken
  SharedRows<Pattern> patterns;
  std::vector<Detection> in_force;  // of the scopes, at `now`
  SharedRows<Alert> alerts;         // by time
  EarlierAlerts earlier;            // those before them that may count: in the baseline, if there are both
  GuardPolicy policy;               // of the resource among the scopes
  // Of each scope, as ActionStore::judged gives them, 5 min ahead too. Columns on which no decision depends may be
  // left out.
  std::vector<SharedRows<RecentTrace>> recent;
};

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

class ResourceStore {
 public:
  virtual ~ResourceStore() = default;

  // Notes that the resource exists; a new uid begins a new incarnation.
  virtual void seen(const Resource& resource, TimePoint at) = 0;
  // Ends the present incarnation. False if the resource is not known.
  virtual bool deleted(const Resource& resource, TimePoint at) = 0;
  // Those of this kind, namespace and name that were ever seen or acted on; unless `gone`, without those that were
  // deleted and not acted on since, if another one is there. Of its cluster and API group, or of any where these are
  // empty. By cluster and group; the first ten, if there are more.
  virtual std::vector<Resource> named(const Resource& resource, bool gone) = 0;

  // Stores the alert, or extends the one with the same fingerprint and start.
  virtual void observe(const Alert& alert) = 0;
  // Alerts that fired in [since, until], by time.
  virtual std::vector<Alert> alerts(TimePoint since, TimePoint until) = 0;
  // By fingerprint and namespace, those only of which there are any. A fingerprint is of one alert on one resource.
  virtual EarlierAlerts earlier_alerts(const EarlierAlertQuery& query) = 0;
  // When the last one with this fingerprint that fired in [since, until] ended; absent if it fires still, or none did.
  virtual std::optional<TimePoint> alert_end(std::string_view fingerprint, TimePoint since,
                                             TimePoint until) = 0;
};

class PatternStore {
 public:
  virtual ~PatternStore() = default;

  virtual std::vector<Pattern> patterns() = 0;
  // Nobody else changes a pattern until the transaction ends, so that one can be read and put back with a change. An
  // engine whose transactions come one after the other has nothing to do. REQUIRES: inside transaction().
  virtual void lock() {}
  virtual void put(const Pattern& pattern) = 0;
  virtual bool remove(std::string_view pattern_id) = 0;
  // Whether the tenant has got the shipped patterns, whatever it has kept of them. Marking it is true once only.
  virtual bool shipped() = 0;
  virtual bool mark_shipped(TimePoint now) = 0;

  // Stores a new detection (returning it with its id) or the changed state of one.
  virtual Detection put(const Detection& detection) = 0;
  // Detections of the scopes that are unresolved and in force at `now`; of all scopes when none is given.
  virtual std::vector<Detection> in_force(std::span<const Scope> scopes, TimePoint now) = 0;
  virtual std::optional<Detection> detection(std::string_view detection_id) = 0;
  // Those with as_of in [since, until), newest first. A resource is asked for by its scope: `resource` is not read.
  virtual std::vector<Detection> detections(const DetectionQuery& query) = 0;
};

// A row of the embedding queue: this subject changed, and its place in the feed is not yet up to date.
struct QueuedSubject {
  std::string subject_id;
  std::int64_t version = 0;
  int attempts = 0;
};

// A subject as the feed carries it. Kind action is the only one for now.
struct FeedSubject {
  std::string subject_id;
  std::string text;
  Json fields;
  std::string content_hash;  // of `text`
  bool deleted = false;
  std::int64_t seq = 0;
};

struct FeedEmbedding {
  std::string subject_id;
  std::string space_id;
  std::string content_hash;  // of the text that it was made from
  std::vector<float> vector;
  std::int64_t seq = 0;
};

// How far somebody has read. Each transaction that appends to the feed is a batch with an id of its own: after a
// restore, or a failover that lost commits, the same numbers may stand for other rows, but not the same ids.
struct FeedCursor {
  std::int64_t seq = 0;
  std::string batch_id{};  // of the newest batch when this was read; empty: not looked for
};

// Rows after a cursor, by seq, subjects and embeddings each in order.
struct FeedBatch {
  std::vector<FeedSubject> subjects;
  std::vector<FeedEmbedding> embeddings;
  FeedCursor last;                 // to go on from
  bool lost = false;               // the feed does not have the cursor's batch; nothing was read
  std::int64_t trimmed_below = 0;  // as in FeedHead, when this was read
};

struct FeedHead {
  std::string epoch;     // changes when the feed was rebuilt: replicas start over
  std::string space_id;  // the tenant's embedding space, empty if none yet
  std::int64_t seq = 0;
  std::string batch_id;            // of the newest batch, empty if none yet
  std::int64_t trimmed_below = 0;  // deletions before this are no longer told: older replicas start over
  std::int64_t queued = 0;         // rows that wait
  std::int64_t failed = 0;         // of them given up after the last attempt
  std::optional<TimePoint> oldest_queued_at;  // of those that still may succeed, which are taken by this time
  std::optional<TimePoint> newest_queued_at;
  std::string worker;  // who holds the lease, empty if nobody
};

class FeedStore {
 public:
  static constexpr int max_attempts = 5;  // after so many failures a row waits for a person

  virtual ~FeedStore() = default;

  // True when `worker` holds the tenant's lease for about this long from now, by the engine's clock.
  virtual bool lease(std::string_view worker, std::chrono::seconds time) = 0;
  virtual void release(std::string_view worker) = 0;

  // Rows that wait, oldest first, without those that were given up.
  virtual std::vector<QueuedSubject> queued(int limit) = 0;
  // Gives each subject the next seq, unless the row of the queue that it was read for has changed or gone since:
  // then somebody else deals with what is newer, or has. Those whose text did not change keep their embedding.
  // REQUIRES: queued[i] was read before subjects[i], and is of the same subject.
  virtual void sequence(std::span<const FeedSubject> subjects, std::span<const QueuedSubject> queued) = 0;
  // Of these subjects, the ones without an embedding of their present text in the space.
  virtual std::vector<FeedSubject> unembedded(std::string_view space_id,
                                              std::span<const std::string> subject_ids) = 0;
  // Stores embeddings with the next seq, except where the subject's text changed meanwhile or was deleted, or their
  // space is neither known nor the tenant's: then it was dropped. Removes the queue rows of `done` that still have the
  // version they were read with. Returns how many embeddings it stored. REQUIRES: all embeddings are of one space.
  virtual std::int64_t append(std::span<const FeedEmbedding> embeddings,
                              std::span<const QueuedSubject> done) = 0;
  // Counts an attempt and keeps its error.
  virtual void failed(const QueuedSubject& subject, std::string_view error) = 0;
  // Those that were given up, the oldest first.
  virtual std::vector<FailedSubject> failures(int limit) = 0;
  // Queues these, or all if none is named, as if they had never failed; how many it were.
  virtual std::int64_t retry(std::span<const std::string> subject_ids) = 0;
  // Forgets deletions from before this time, and batches but the newest. Returns how many deletions.
  virtual std::int64_t trim(TimePoint before, TimePoint now) = 0;

  virtual FeedBatch read(std::string_view space_id, const FeedCursor& after, int limit) = 0;
  virtual FeedHead head() = 0;
};

// The actions of one resource, or those whose resource is not known (then without an id): a policy's unit.
struct RetentionGroup {
  std::string resource_id;
  Resource resource;
  std::int64_t total = 0;                // actions
  std::optional<RetentionPolicy> own{};  // absent: the default policy counts
  bool held = false;  // a legal hold covers it: its own, or one that leaves out what it has
};

// What a plan needs to know of an action.
struct RetentionCandidate {
  std::string action_id;
  TimePoint time{};
  Status status{};
  std::optional<double> score;
  bool held = false;  // as by RetentionStore::held()
};

struct RetentionQuestion {
  TimePoint before{};  // only actions earlier than this
  int limit = 0;       // the oldest ones, if there are more
  int best = 0;        // how many of the best assessed actions to name
  int examples = 0;    // how many detections of each pattern to name the actions of
  TimePoint now{};
};

struct RetentionFacts {
  std::int64_t total = 0;
  std::vector<RetentionCandidate> candidates;  // by time and id
  bool more = false;                           // there were more than `limit`
  std::vector<std::string> best;
  std::vector<std::string> cited;  // by those detections, and by all that are in force
};

class RetentionStore {
 public:
  virtual ~RetentionStore() = default;

  // The policy for resources without one of their own.
  virtual std::optional<RetentionPolicy> default_policy() = 0;
  // Sets the policy of a resource, or the default for an empty one; absent takes it away.
  virtual void set_policy(const Resource& resource, const std::optional<RetentionPolicy>& policy,
                          TimePoint now) = 0;

  // The resources after the one with this id, by id; only those with a policy of their own if `own`.
  virtual std::vector<RetentionGroup> groups(std::string_view after, bool own, int limit) = 0;
  // One of them, by id. An empty id means the actions without a known resource.
  virtual RetentionGroup group(std::string_view resource_id) = 0;
  virtual RetentionFacts facts(std::string_view resource_id, const RetentionQuestion& question) = 0;
  // Whether a legal hold covers what one of these actions was done to: the resource itself, where another one owns it.
  virtual bool held(std::span<const ExpiringAction> actions) = 0;

  // Appends tombstones and removes those of the actions still stored with this resource; their ids stay taken, their
  // sums stay if `compact`. Returns how many went, those of an unanswered() run with the same `now` included.
  virtual std::int64_t remove(std::string_view resource_id, std::span<const ExpiringAction> actions,
                              bool compact, TimePoint now) = 0;
  virtual std::vector<CompactedActions> compacted(std::string_view resource_id) = 0;
  // Removes firings of alerts from before this time, the oldest first, at most `limit`; those on a resource that a
  // legal hold covers stay. How many went.
  virtual std::int64_t remove_alerts(TimePoint before, int limit) = 0;

  // Stores a new operation or the progress of one.
  virtual void put(const RetentionOperation& operation) = 0;
  // Operations that run without progress since `before`, because their process ended, become failed.
  virtual void give_up(TimePoint before, TimePoint now) = 0;
  // The newest ones first.
  virtual std::vector<RetentionOperation> operations(int limit) = 0;
};

struct EngineInfo {
  std::string engine;    // "sqlite"
  std::string location;  // without secrets
  std::string version;
  int schema_version = 0;
  int schema_latest = 0;
  bool durable = true;  // false in memory
};

class MaintenanceStore {
 public:
  virtual ~MaintenanceStore() = default;

  // Brings the schema up to date, with the indexes that the options name; does nothing when it is.
  virtual void migrate() = 0;
  // What migrate() would run, as text.
  virtual std::string migration_script() = 0;
  // Checks the stored data as far as the engine can; a list of what is wrong, empty when all is well.
  virtual std::vector<std::string> verify() = 0;
  virtual EngineInfo info() = 0;
};

class Repository {
 public:
  virtual ~Repository() = default;

  virtual ActionStore& actions() = 0;
  virtual ResourceStore& resources() = 0;
  virtual PatternStore& patterns() = 0;
  virtual FeedStore& feed() = 0;
  virtual SpaceStore& spaces() = 0;
  virtual RetentionStore& retention() = 0;
  virtual LearningStore& learning() = 0;
  virtual MetricStore& metrics() = 0;
  virtual ItemStore& items() = 0;
  virtual CheckpointStore& checkpoints() = 0;
  virtual MaintenanceStore& maintenance() = 0;

  // Reads what a proposal is decided on. With `lock`, what is read can change only after this transaction: the
  // guard heads of the scopes are taken first.
  // REQUIRES: with `lock`, inside transaction().
  virtual GuardView guard_view(const GuardQuestion& question, bool lock);

  // Runs `work` as one transaction: all of its writes or, when it throws, none. It may run more than once.
  // A transaction inside a transaction joins the outer one.
  virtual void transaction(const std::function<void()>& work) = 0;

  // Inside of transaction(): whether an earlier run of it may have been committed, because the answer was lost.
  virtual bool unanswered() const noexcept { return false; }

  // The clock that everybody who shares the memory goes by: the database's own where they may be on other machines.
  // It is read without asking anybody, and must not be used after the repository.
  virtual Clock clock() const { return system_now; }

  virtual const std::string& tenant() const noexcept = 0;
};

}  // namespace actionhist
