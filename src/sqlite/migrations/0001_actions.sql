-- Resources, actions and their outcomes. Times are microseconds since 1970 in UTC; JSON is canonical text;
-- what was not given is NULL.

CREATE TABLE resource_references (
  tenant_id    TEXT NOT NULL,
  resource_id  TEXT NOT NULL,            -- UUIDv5 of tenant, cluster, group, kind, namespace and name
  cluster      TEXT NOT NULL,
  api_group    TEXT NOT NULL,
  api_version  TEXT NOT NULL,            -- as last seen
  kind         TEXT NOT NULL,
  namespace    TEXT NOT NULL,
  name         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  deleted_at   INTEGER,
  last_seen    INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, resource_id)
) WITHOUT ROWID;

-- A resource as people name it, whatever its cluster and group.
CREATE INDEX resource_names ON resource_references (tenant_id, kind, name);

CREATE TABLE resource_incarnations (
  tenant_id    TEXT NOT NULL,
  resource_id  TEXT NOT NULL,
  resource_uid TEXT NOT NULL,
  api_version  TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  deleted_at   INTEGER,
  last_seen    INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, resource_id, resource_uid)
) WITHOUT ROWID;

CREATE TABLE action_histories (
  tenant_id                  TEXT NOT NULL,
  resource_id                TEXT NOT NULL,
  max_actions                INTEGER,     -- NULL: nothing expires
  max_age_days               INTEGER,
  compaction_strategy        TEXT NOT NULL DEFAULT 'pattern-aware',
  oscillation_window_minutes INTEGER,     -- NULL: each pattern's own
  effectiveness_threshold    REAL,
  pattern_min_occurrences    INTEGER,
  total_actions              INTEGER NOT NULL DEFAULT 0,
  last_action_at             INTEGER,
  last_analysis_at           INTEGER,
  next_analysis_at           INTEGER,
  created_at                 INTEGER NOT NULL,
  updated_at                 INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, resource_id)
) WITHOUT ROWID;

CREATE TABLE resource_action_traces (
  tenant_id                       TEXT NOT NULL,
  action_id                       TEXT NOT NULL,
  correlation_id                  TEXT,
  session_id                      TEXT,
  actor                           TEXT,
  environment                     TEXT,
  action_timestamp                INTEGER NOT NULL,
  alert_name                      TEXT,
  alert_severity                  TEXT,
  alert_labels                    TEXT,
  alert_annotations               TEXT,
  alert_firing_time               INTEGER,
  alert_fingerprint               TEXT,
  model_used                      TEXT,
  routing_tier                    TEXT,
  model_confidence                REAL,
  model_reasoning                 TEXT,
  alternative_actions             TEXT,
  action_type                     TEXT NOT NULL,
  effect                          TEXT NOT NULL,
  action_parameters               TEXT,
  owner                           TEXT,
  resource_state_before           TEXT,
  pre_spec_hash                   TEXT,
  follow_up_actions               TEXT,
  metadata                        TEXT,
  cluster                         TEXT,
  api_group                       TEXT,
  api_version                     TEXT,
  kind                            TEXT,
  namespace                       TEXT,
  name                            TEXT,
  resource_uid                    TEXT,
  resource_id                     TEXT,
  execution_status                TEXT NOT NULL,
  execution_start_time            INTEGER,
  execution_end_time              INTEGER,
  execution_duration_ms           INTEGER,
  execution_error                 TEXT,
  kubernetes_operations           TEXT,
  resource_state_after            TEXT,
  post_spec_hash                  TEXT,
  result_hash                     TEXT,
  effectiveness_score             REAL,
  effectiveness_criteria          TEXT,
  effectiveness_assessed_at       INTEGER,
  effectiveness_assessment_method TEXT,
  effectiveness_notes             TEXT,
  effectiveness_due_at            INTEGER,
  created_at                      INTEGER NOT NULL,
  updated_at                      INTEGER NOT NULL
);
-- The id is unique, and get() goes by it.
CREATE UNIQUE INDEX traces_id ON resource_action_traces (tenant_id, action_id);
-- The guard's window and the history of a resource.
CREATE INDEX traces_resource ON resource_action_traces (tenant_id, resource_id, action_timestamp)
  WHERE resource_id IS NOT NULL;
-- Lists of a tenant, and every query without an index of its own, newest first.
CREATE INDEX traces_time ON resource_action_traces (tenant_id, action_timestamp, action_id);
-- The guard's window by correlation and by session.
CREATE INDEX traces_correlation ON resource_action_traces (tenant_id, correlation_id, action_timestamp)
  WHERE correlation_id IS NOT NULL;
CREATE INDEX traces_session ON resource_action_traces (tenant_id, session_id, action_timestamp)
  WHERE session_id IS NOT NULL;

-- Ids whose trace was deleted: they stay taken.
CREATE TABLE action_ids (
  tenant_id  TEXT NOT NULL,
  action_id  TEXT NOT NULL,
  deleted_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, action_id)
) WITHOUT ROWID;

CREATE TABLE alert_events (
  tenant_id   TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  starts_at   INTEGER NOT NULL,
  ends_at     INTEGER,
  alert_name  TEXT NOT NULL,
  severity    TEXT,
  labels      TEXT,
  resource_id TEXT,
  cluster     TEXT,
  api_group   TEXT,
  api_version TEXT,
  kind        TEXT,
  namespace   TEXT,
  name        TEXT,
  resource_uid TEXT,
  PRIMARY KEY (tenant_id, fingerprint, starts_at)
) WITHOUT ROWID;
CREATE INDEX alert_events_time ON alert_events (tenant_id, starts_at);
