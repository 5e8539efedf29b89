/* The C ABI of actionhist: opaque handles, JSON text for records, errors as values.
 *
 * Threads: a handle may be used from any thread at once; freeing it must be its last use.
 * Ownership: what a function gives through a pointer to a pointer belongs to the caller, who frees it with
 * the _free of its type. Text that is passed in is pointer and length, UTF-8, and only read during the call.
 * Every _free and _close does nothing when it is given NULL.
 * Fork: in a child, what its parent opened fails with ACTIONHIST_UNSUPPORTED, and _close and _free leave it alone.
 * Failure: functions return an actionhist_status; on failure `error`, if it is not NULL, receives an error.
 * docs/c-abi.md describes the records; they are those of the table resource_action_traces. */
#ifndef ACTIONHIST_H
#define ACTIONHIST_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of this interface. It grows when something is added; nothing is ever taken away or changed
 * while the library's first version number stays the same. */
#define ACTIONHIST_ABI_VERSION 1

/* The values are those of actionhist::ErrorCode and never change. */
typedef int32_t actionhist_status;
enum {
  ACTIONHIST_OK = 0,
  ACTIONHIST_INVALID_ARGUMENT = 1, /* fix the call; the message names the field */
  ACTIONHIST_NOT_FOUND = 2,        /* the id is not stored */
  ACTIONHIST_CONFLICT = 3,         /* stored otherwise already: reload and decide */
  ACTIONHIST_DENIED = 4,           /* fix rights */
  ACTIONHIST_UNAVAILABLE = 5,      /* retry later */
  ACTIONHIST_TIMEOUT = 6,          /* a deadline passed; the work may or may not go on */
  ACTIONHIST_UNSUPPORTED = 7,      /* not offered here */
  ACTIONHIST_CORRUPT = 8,          /* stop and restore or rebuild */
  ACTIONHIST_CANCELLED = 9,        /* the history was closed */
  ACTIONHIST_INTERNAL = 10         /* a bug: please report */
};

/* Levels of log messages and roles of texts to embed. */
enum { ACTIONHIST_DEBUG = 0, ACTIONHIST_INFO = 1, ACTIONHIST_WARNING = 2, ACTIONHIST_ERROR = 3 };
enum { ACTIONHIST_DOCUMENT = 0, ACTIONHIST_QUERY = 1 };

typedef struct actionhist_error actionhist_error;
typedef struct actionhist_text actionhist_text;
typedef struct actionhist_history actionhist_history;

/* Text that somebody else owns; not ended by NUL. */
typedef struct actionhist_string {
  const char* data;
  size_t length;
} actionhist_string;

/* The library that runs */

/* "0.1.0"; lives for ever. */
const char* actionhist_version(void);

/* The ACTIONHIST_ABI_VERSION that the library was built with. */
int32_t actionhist_abi_version(void);

/* 1 if the library has the feature: "memory", "sqlite", "postgresql", "host-model", "submit", or the name of
 * one of its functions, as "actionhist_history_similar". `name` ends with NUL. */
int32_t actionhist_has_feature(const char* name);

/* The name of a status: "invalid_argument"; lives for ever. */
const char* actionhist_status_name(actionhist_status status);

/* Errors and texts */

actionhist_status actionhist_error_code(const actionhist_error* error);

/* One line for people, with no secret in it, ended by NUL; lives as long as `error`. */
const char* actionhist_error_message(const actionhist_error* error);

void actionhist_error_free(actionhist_error* error);

/* The text, ended by NUL, which the length does not count; lives as long as `text`. */
const char* actionhist_text_data(const actionhist_text* text);
size_t actionhist_text_length(const actionhist_text* text);
void actionhist_text_free(actionhist_text* text);

/* What a host brings along. Callbacks come from any thread, several at once, and must not throw, unwind or
 * jump out, nor close or free the history. `destroy`, if given, is called exactly once with `user_data`, when
 * nothing will be called any more, and so also when open fails: unless it fails because `size` is wrong. */

/* A model that turns text into vectors, instead of the built-in one. */
typedef struct actionhist_model {
  size_t size;                /* set by ACTIONHIST_MODEL_INIT */
  actionhist_string space_id; /* names the model and its version: vectors of two spaces are never compared */
  size_t dimension;           /* floats in a vector, 1 to 65,536 */
  /* Writes count × dimension floats to `vectors`, row by row. Another status than ACTIONHIST_OK refuses the
   * texts: ACTIONHIST_INVALID_ARGUMENT for ever, all others until they are tried again. */
  actionhist_status (*embed)(void* user_data, const actionhist_string* texts, size_t count, int32_t role,
                             float* vectors);
  void* user_data;
  void (*destroy)(void* user_data);
} actionhist_model;

#define ACTIONHIST_MODEL_SIZE_1 (offsetof(actionhist_model, destroy) + sizeof(void (*)(void*)))
#define ACTIONHIST_MODEL_INIT \
  { sizeof(actionhist_model), {NULL, 0}, 0, NULL, NULL, NULL }

typedef struct actionhist_options {
  size_t size; /* set by ACTIONHIST_OPTIONS_INIT */
  /* A JSON object, or empty: {"tenant": "default", "run_migrations": true, "read_only": false,
   * "semantic": true, "worker": true, "on_unavailable": "deny", "redact": [], "busy_timeout_ms": 10000,
   * "submit_threads": 2, "upkeep_seconds": 0, "postgres": {…}, "model": "static:FOLDER", "model_options": {},
   * "index_folder": "PATH"}. With "upkeep_seconds" a thread does actionhist_history_upkeep so often. An empty
   * "index_folder" keeps no index in files. docs/postgresql.md names the members of "postgres". */
  actionhist_string settings;
  void (*log)(void* user_data, int32_t level, const char* message, size_t length);
  /* The time in microseconds since 1970, UTC; the server's clock (PostgreSQL) or the system's if NULL. */
  int64_t (*clock)(void* user_data);
  /* Called with the verdict, as JSON, of every proposal that is refused, before propose returns it. */
  void (*refused)(void* user_data, const char* verdict, size_t length);
  void* user_data;
  void (*destroy)(void* user_data);
  const actionhist_model* model; /* read during open only; NULL for the built-in one */
  /* Called on the thread of the call with the operation's name: after each batch of "switch_space" and "backfill"
   * with what is done and about what is left, after each pass of "fit_space" over the texts with
   * how many were looked at and are left, each counted for every pass, after each transaction of "apply_retention" with
   * the actions removed and the resources left, and after each step of a change of months with its name and the actions
   * dealt with. If it returns another value than 0 the operation ends with ACTIONHIST_CANCELLED; another call goes on
   * from there, but a fit begins anew. */
  int32_t (*progress)(void* user_data, const char* operation, int64_t done, int64_t left);
  /* Called after the commit, on the thread of the call, with {"text", "detection", "action_id", "fresh", "overridden",
   * "alert_severity", "alert_channels"}, as JSON, for each detection of a pattern with alerting_enabled: those that
   * refuse a proposal, or would have, and those that analyse and upkeep find. */
  void (*detected)(void* user_data, const char* notice, size_t length);
} actionhist_options;

#define ACTIONHIST_OPTIONS_SIZE_1 (offsetof(actionhist_options, model) + sizeof(const actionhist_model*))
#define ACTIONHIST_OPTIONS_INIT \
  { sizeof(actionhist_options), {NULL, 0}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL }

/* Opens `uri`: "memory:", "sqlite:PATH" or a path, "postgresql://USER@HOST/DATABASE". `options` may be NULL. On
 * success `*history` is a handle that actionhist_history_free ends; on failure it is NULL. */
actionhist_status actionhist_history_open(const char* uri, size_t uri_length,
                                          const actionhist_options* options, actionhist_history** history,
                                          actionhist_error** error);

/* Ends the use: later calls fail with ACTIONHIST_INVALID_ARGUMENT, calls under way end by themselves, and
 * those that wait in submit are answered with ACTIONHIST_CANCELLED. Threads and files end too, but not before
 * actionhist_history_free if a call is under way. More than once does nothing. */
void actionhist_history_close(actionhist_history* history);

/* Closes, waits for what was submitted and for calls of callbacks, and frees. No other call on `history` may be
 * under way. */
void actionhist_history_free(actionhist_history* history);

/* Operations. All have one type: a JSON document in, a JSON document out. An empty request means {}. `answer`
 * may be NULL when it is not wanted. Members that an operation does not know are refused, except in actions,
 * which keep them in `metadata`. Each waits for the database; submit does not. */
typedef actionhist_status actionhist_operation(actionhist_history* history, const char* request,
                                               size_t request_length, actionhist_text** answer,
                                               actionhist_error** error);

/* Recording and guarding */

/* An action → its trace. The action happened already, so the guard is not asked. The same action_id again
 * gives the stored trace, with "stored": false. */
actionhist_operation actionhist_history_record;
/* An array of actions → their traces, in order, stored in one transaction; on failure nothing is stored. */
actionhist_operation actionhist_history_record_many;
/* The same, and where an action is stored that has not ended and is told of as ended, its outcome completes it. The answer
 * is how many were {"stored": 1, "completed": 0, "present": 2}: new, completed, and left as they were. */
actionhist_operation actionhist_history_import_actions;
/* An action → the verdict. What is allowed is stored as pending in the same transaction. The same action_id again gives
 * the same verdict, "repeated", until the action has ended; then it is a conflict. */
actionhist_operation actionhist_history_propose;
/* {"action", "override": {"actor", "reason"}} → the verdict. Stores the action even if it would be refused, with
 * who let it pass and why. */
actionhist_operation actionhist_history_override;
/* The verdict of propose, without writing anything. */
actionhist_operation actionhist_history_check;
/* {"action_id", "at"} → the trace, now executing; with "stored": false if it was already: somebody else is doing it. */
actionhist_operation actionhist_history_start;
/* {"action_id", "outcome": {"status", "effectiveness_score", …}, "correction": false} → the trace. */
actionhist_operation actionhist_history_complete;
/* {"action_id", "assessment": {"health", "alert", "metrics", "score", "method", "notes", …}} → the trace. */
actionhist_operation actionhist_history_assess;
/* An alert that fired or ended: {"alert_name", "starts_at", …} → null. */
actionhist_operation actionhist_history_observe;
/* {"action_id", "follow_up", "relation"} → the trace. */
actionhist_operation actionhist_history_link;
/* {"action_id"} → true, or false if there is none. The id stays taken. */
actionhist_operation actionhist_history_erase;
/* {"resource": {"kind", "name", …}, "at"} → null. */
actionhist_operation actionhist_history_resource_seen;
/* {"resource": {"kind", "name", …}, "at"} → true, or false if the resource is not known. */
actionhist_operation actionhist_history_resource_deleted;

/* Reading and searching */

/* {"action_id"} → the trace, or null. */
actionhist_operation actionhist_history_get;
/* {"resource", "correlation_id", "since", "until", "where", "limit", "cursor"} → {"traces": […], "next"},
 * newest first; "next" is the cursor of the page after, and missing on the last. */
actionhist_operation actionhist_history_find;
/* {"text" or "action_id" or "vector", "limit", "where", "threshold", "percentile", "mmr_lambda",
 * "distinct", "weights": {"context", "action", "outcome"}, "fresh"} → an array of hits, best first. */
actionhist_operation actionhist_history_similar;
/* {"resource" or "correlation_id" or "session_id", "as_of", "window_minutes"} → an array of detections. */
actionhist_operation actionhist_history_detect;
/* {"text", "alert_name", "alert_severity", "resource", "action_id", "where", "limit", "neighbours", "explore",
 * "fresh"} → {"actions": […], "avoid": […], "fallback"}: what worked and what did not, best and worst first. */
actionhist_operation actionhist_history_recommend;
/* {"text", "alert_name", "resource", "spec_hash", "budget_tokens": 2000, "json": false} → {"content", "tokens",
 * "omitted"}: what a language model should know before it acts. */
actionhist_operation actionhist_history_context;
/* {"changed_since", "limit": 1000} → an array of summaries of resources, the last touched first. */
actionhist_operation actionhist_history_summaries;
/* {"timeout_ms": 30000} → true when all that was recorded before is searchable, false when time is up. */
actionhist_operation actionhist_history_wait_indexed;

/* Effectiveness */

/* {"scope_type", "scope_value", "resource", "metric_period", "action_type", "since", "until", "limit"} → an array of
 * metrics as of the last refresh_metrics, newest period first. */
actionhist_operation actionhist_history_metrics;
/* {"full": false} → {"hours", "periods", "metrics"}: computes what changed, or all. */
actionhist_operation actionhist_history_refresh_metrics;
/* {"worker", "limit": 10, "lease_seconds": 60} → an array of traces whose assessment is due, each to one worker. */
actionhist_operation actionhist_history_lease_assessments;

/* What the guard found */

/* {"detection_id"} → the detection, or null. */
actionhist_operation actionhist_history_detection;
/* {"pattern_id", "scope" or "resource", "since", "until", "unresolved", "limit": 50} → an array of detections, newest
 * first. */
actionhist_operation actionhist_history_detections;
/* {"detection_id", "resolution": {"method", "notes", "false_positive"}} → the detection, which now refuses
 * nothing any more. */
actionhist_operation actionhist_history_resolve;
/* {"limit": 1000} → {"resolved_by_timeout", "resolved_by_evidence", "judged"}: ends what is over. */
actionhist_operation actionhist_history_settle;
/* {"since", "limit": 100} → an array of overrides, newest first. */
actionhist_operation actionhist_history_overrides;
/* {"resource"} → what the guard takes for the resource instead of the patterns' own. */
actionhist_operation actionhist_history_guard_policy;
/* {"resource", "policy": {…} or null} → null. Null takes the policy away. */
actionhist_operation actionhist_history_set_guard_policy;

/* {"limit": 100} → {"resources", "detections"}: looks for patterns in resources of which something changed, in what was
 * recorded without asking, too. What it finds is noted and refuses nothing. */
actionhist_operation actionhist_history_analyse;
/* {} → {"analysis", "settlement", "metrics"}: does what is due from time to time. */
actionhist_operation actionhist_history_upkeep;

/* What nobody asked for by name */

/* {"as_of", "since", "history_days": 30, "where", "quantile": 0.99, "limit": 50} → {"runs", "judged", "history",
 * "enough", "threshold", "complete"}: runs of actions that did not go as usual. */
actionhist_operation actionhist_history_anomalies;
/* {"where", "since", "until", "actions": 2000, "seed": 1, "clusters": 0} → {"clusters", "actions", "complete",
 * "silhouette"}: groups of similar actions, with names. */
actionhist_operation actionhist_history_clusters;
/* The same with "threshold": 0.95 instead of "clusters" → an array of {"action_ids", "similarity"}. */
actionhist_operation actionhist_history_duplicates;
/* The same with "dimensions": 2 or 3 → {"points": [{"action_id", "action_type", "at"}], "explained", "complete"}. */
actionhist_operation actionhist_history_projection;

/* Retention */

/* {"resource"} → the policy that the resource follows; the default without a resource. */
actionhist_operation actionhist_history_retention_policy;
/* {} → an array of the policies that were set, the default first. */
actionhist_operation actionhist_history_retention_policies;
/* {"policy": {"max_actions", "max_age_days", …} or null, "resource"} → null. Null takes the policy away. */
actionhist_operation actionhist_history_set_retention_policy;
/* {"resource", "policy"} → an array of plans: what would go now, and why. */
actionhist_operation actionhist_history_retention_plan;
/* {"resource", "policy", "batch": 500} → {"run_id", "removed", "alerts", "operations": […]}: removes what the plan
 * says, and firings of alerts beyond the default age when it is for all resources. */
actionhist_operation actionhist_history_apply_retention;
/* {"limit": 100} → an array of what runs did, the newest first. */
actionhist_operation actionhist_history_retention_operations;
/* {"resource"} → an array of the monthly sums that policies with `compact` have left. */
actionhist_operation actionhist_history_compacted;

/* Patterns and health */

/* {} → an array of the patterns that are watched for. */
actionhist_operation actionhist_history_patterns;
/* A pattern → null. Adds it, or replaces the one with its pattern_id. */
actionhist_operation actionhist_history_put_pattern;
/* {"pattern_id"} → true, or false if there is none. Its detections stay. */
actionhist_operation actionhist_history_remove_pattern;
/* {} → how database, feed and index are; an unreachable database is no failure but said. */
actionhist_operation actionhist_history_health;
/* {} → an array of texts: what is wrong with the stored data, empty when all is well. */
actionhist_operation actionhist_history_verify;

/* Embedding spaces */

/* {} → an array of the spaces, by id: {"space_id", "dimension", "active", "fitted", "vectors", "missing", …}. */
actionhist_operation actionhist_history_spaces;
/* {"space_id", "force": false} → {"switched", "space_id", "previous", "embedded", "why"}: embeds what a space lacks,
 * compares how well it finds, and has all searches use it in one step. Without an id, the space of the model
 * that was given to open; with `force`, although it finds less. */
actionhist_operation actionhist_history_switch_space;
/* {"dimension": 256, "documents": 10000, "seed": 1} → the space of a model fitted on the newest texts, which nothing
 * searches before switch_space. */
actionhist_operation actionhist_history_fit_space;
/* {"space_id"} → true, or false if there is none. The space that is searched is a conflict. */
actionhist_operation actionhist_history_drop_space;
/* {} → how many actions were dealt with: embeds what was recorded without an index. */
actionhist_operation actionhist_history_backfill;
/* {"limit": 100} → an array of {"subject_id", "attempts", "error", "queued_at"}: what the model refuses. */
actionhist_operation actionhist_history_failed_subjects;
/* {"ids"} → how many are embedded again; all of them without ids. */
actionhist_operation actionhist_history_retry_failed;
/* {"spaces", "queries": 200, "documents": 20000} → {"documents", "queries", "words", "spaces"}: how well searches
 * find what belongs together in this memory. */
actionhist_operation actionhist_history_evaluate;

/* {"space_id", "ids"} → {"stored", "present", "unknown"}: stores vectors that were computed elsewhere, for each id of
 * an action a row of `dimension` floats. `count` is the number of ids. */
actionhist_status actionhist_history_import_vectors(actionhist_history* history, const char* request,
                                                    size_t request_length, const float* vectors, size_t count,
                                                    size_t dimension, actionhist_text** answer,
                                                    actionhist_error** error);

/* Items: JSON objects under a key in a namespace, which agents keep beside their actions. A namespace is an array of
 * labels, from the widest to the narrowest. */

/* {"items": [{"namespace", "key", "value", "ttl_seconds", "texts", "space_id", "vectors"}]} → null. Writes all in one
 * transaction; an item without a value is removed. It is found by its texts, by all text in its value without
 * them, or by vectors of the host's own model, which "space_id" names. */
actionhist_operation actionhist_history_put_items;
/* {"keys": [{"namespace", "key"}], "renew": true} → an array with the item of each key, or null. "renew" begins the
 * time to live anew. */
actionhist_operation actionhist_history_get_items;
/* {"namespace", "text" or "vector" with "space_id", "where", "limit": 10, "offset": 0, "renew": true} → an array of
 * items below a namespace: the nearest first, or those that were written last. */
actionhist_operation actionhist_history_search_items;
/* {"prefix", "suffix", "max_depth", "limit": 100, "offset": 0} → an array of the namespaces that hold items. "*" in
 * prefix and suffix stands for any label. */
actionhist_operation actionhist_history_item_namespaces;
/* {"limit": 1000} → how many items were removed because their time is over. */
actionhist_operation actionhist_history_sweep_items;

/* Checkpoints: the states of agents' runs. "state" and "value" are bytes, as base64 with padding. "checkpoint_ns" is
 * that of a graph within the graph, and empty at the top. */

/* {"thread_id", "checkpoint_ns", "checkpoint_id", "parent_id", "format", "state", "metadata"} → null. */
actionhist_operation actionhist_history_put_checkpoint;
/* {"thread_id", "checkpoint_ns", "checkpoint_id", "writes": [{"task_id", "task_path", "place", "channel", "format",
 * "value"}]} → null. A write with the place of a stored one replaces it if the place is negative, and is passed
 * over if not. */
actionhist_operation actionhist_history_put_checkpoint_writes;
/* {"thread_id", "checkpoint_ns", "checkpoint_id", "before", "where", "states": true, "limit": 100, "after"} → an array
 * of checkpoints with their writes, newest ids first. "after" is the key of the last one of the page before. */
actionhist_operation actionhist_history_find_checkpoints;
/* {"keys": [{"thread_id", "checkpoint_ns", "checkpoint_id"}]} → how many there were. */
actionhist_operation actionhist_history_remove_checkpoints;
/* {"thread_id"} → null. */
actionhist_operation actionhist_history_remove_checkpoint_thread;
/* {"source", "target"} → null. What the target had under the same keys is replaced. */
actionhist_operation actionhist_history_copy_checkpoint_thread;

/* similar with a vector of the model's dimension as floats. The request must name no text, action_id or
 * vector of its own. */
actionhist_status actionhist_history_similar_to(actionhist_history* history, const char* request,
                                                size_t request_length, const float* vector, size_t dimension,
                                                actionhist_text** answer, actionhist_error** error);

/* Receives what a submitted operation gave. `answer` and `error` belong to it; one of them is NULL. */
typedef void (*actionhist_done)(void* user_data, actionhist_status status, actionhist_text* answer,
                                actionhist_error* error);

/* Runs an operation on a thread of the library and calls `done` exactly once, on that thread or the one that
 * closes. The request is copied. When the call itself fails, `done` is not called:
 * ACTIONHIST_UNAVAILABLE if 1,024 operations wait already. */
actionhist_status actionhist_history_submit(actionhist_history* history, actionhist_operation* operation,
                                            const char* request, size_t request_length, actionhist_done done,
                                            void* user_data, actionhist_error** error);

/* The months of a memory in PostgreSQL: making them ahead, and taking old ones out of the database and back. A month
 * holds the actions of all tenants, so this is apart from a history, and needs the schema's owner. Calls on one handle
 * wait for each other; from within `progress` they fail with ACTIONHIST_INVALID_ARGUMENT. Whatever interrupts one, no
 * action is lost, and the same call again goes on. */
typedef struct actionhist_months actionhist_months;

/* Of `options`, which may be NULL, only "postgres" of the settings, `progress`, `user_data` and `destroy` are used. On
 * success `*months` is a handle that actionhist_months_free ends; on failure it is NULL. */
actionhist_status actionhist_months_open(const char* uri, size_t uri_length,
                                         const actionhist_options* options, actionhist_months** months,
                                         actionhist_error** error);

/* No other call on `months` may be under way. */
void actionhist_months_free(actionhist_months* months);

/* As actionhist_operation. */
typedef actionhist_status actionhist_months_operation(actionhist_months* months, const char* request,
                                                      size_t request_length, actionhist_text** answer,
                                                      actionhist_error** error);

/* {} → an array of {"month", "state", "actions", "bytes", "archive"}, the oldest first. */
actionhist_months_operation actionhist_months_list;
/* {"ahead": 3} → an array of the months that were missing, as "2026-03": this one and the next ones. */
actionhist_months_operation actionhist_months_ensure;
/* {"month"} → null. Takes a month out of what is searched and counted, into a table of its own. */
actionhist_months_operation actionhist_months_detach;
/* {"month", "folder"} → what the manifest beside the file says. Moves a month into a verified file. */
actionhist_months_operation actionhist_months_archive;
/* {"month", "folder"} → null. Puts a month back as it was; one that is only detached needs no folder. */
actionhist_months_operation actionhist_months_restore;

/* An index without a database: rows with a text, a vector and fields, found by meaning among those that pass a filter.
 * Searches and changes may run side by side on any threads. After fork() the child's calls fail with
 * ACTIONHIST_UNSUPPORTED. */
typedef struct actionhist_index actionhist_index;

/* {"dimension", "parts": […], "metric": "cosine", "precision": "full", "m": 0, "ef_construction": 0, "ef_search": 0,
 * "sealed_rows": 4096}; the metric may also be inner_product or l2, the precision half or byte. What is 0 is chosen
 * by the index. On success `*index` is a handle that actionhist_index_free ends; on failure it is NULL. */
actionhist_status actionhist_index_create(const char* options, size_t options_length,
                                          actionhist_index** index, actionhist_error** error);

/* What actionhist_index_save wrote. */
actionhist_status actionhist_index_open(const char* folder, size_t folder_length, actionhist_index** index,
                                        actionhist_error** error);

/* About the memory that an index of so many vectors takes, without their texts and fields; the options are those of
 * actionhist_index_create. */
actionhist_status actionhist_index_estimated_bytes(const char* options, size_t options_length,
                                                   uint64_t vectors, uint64_t* bytes,
                                                   actionhist_error** error);

/* No other call on `index` may be under way. */
void actionhist_index_free(actionhist_index* index);

/* As actionhist_operation. */
typedef actionhist_status actionhist_index_operation(actionhist_index* index, const char* request,
                                                     size_t request_length, actionhist_text** answer,
                                                     actionhist_error** error);

/* The same with `count` vectors of `dimension` floats, one behind the other; NULL and 0 for none. */
typedef actionhist_status actionhist_index_vectors(actionhist_index* index, const char* request,
                                                   size_t request_length, const float* vectors, size_t count,
                                                   size_t dimension, actionhist_text** answer,
                                                   actionhist_error** error);

/* {"rows": [{"id", "text", "fields", "version"}]}, with a vector for each row or with none → null. Adds the rows and
 * replaces those of the same id, all or nothing. */
actionhist_index_vectors actionhist_index_put;
/* {"id"}, with its vector → true, or false if there is no such row. */
actionhist_index_vectors actionhist_index_set_vector;
/* {"text", "where", "exclude_id", "limit": 10, "threshold", "percentile", "mmr_lambda", "distinct",
 * "vector_weight": 0.5, "weights": […], "ef_search"}, with one vector or none → an array of {"id", "score",
 * "similarity", "distance", "bm25", "matched_terms", "parts": […]}, best first. */
actionhist_index_vectors actionhist_index_search;
/* The same for each of several vectors → an array of such arrays. */
actionhist_index_vectors actionhist_index_search_many;
/* As search → {"route", "why", "rows", "matching", "linked", "distances", "ef_search"}: how it was answered. */
actionhist_index_vectors actionhist_index_explain;
/* {"id", "fields"} → true, or false if there is no such row. */
actionhist_index_operation actionhist_index_set_fields;
/* {"id"} → true, or false if there is no such row. */
actionhist_index_operation actionhist_index_remove;
/* {"id"} → the version of the row, or null if there is no such row. */
actionhist_index_operation actionhist_index_version;
/* {"id"} → the row's vector as it is kept, for cosine of length 1; null if there is no such row or it has none. */
actionhist_index_operation actionhist_index_vector;
/* {"percentile", "weights": […]} → the similarity that so many percent (0 to 100) of the pairs of different vectors do
 * not exceed; null while there are fewer than two. */
actionhist_index_operation actionhist_index_similarity_at;
/* {} → null. Builds now what is otherwise built in the background. */
actionhist_index_operation actionhist_index_optimize;
/* {} → null. Empties the index. */
actionhist_index_operation actionhist_index_clear;
/* {} → {"rows", "vectors", "linked", "deleted", "terms", "bytes", "ef_search", "error", "verified", "damage", "note"}.
 * "damage" says what is wrong with the files that it was opened from. */
actionhist_index_operation actionhist_index_stats;
/* {"folder", "note"} → null. Replaces what was saved there in one step; "note" is an object of the host's own. */
actionhist_index_operation actionhist_index_save;

#ifdef __cplusplus
}
#endif

#endif
