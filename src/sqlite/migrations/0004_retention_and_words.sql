-- How long actions are kept, what runs removed, and the sums that they left. Nothing expires until a policy
-- is set.

-- A policy beside max_actions, max_age_days and compaction_strategy.
ALTER TABLE action_histories ADD COLUMN min_effectiveness REAL;
ALTER TABLE action_histories ADD COLUMN pattern_examples INTEGER NOT NULL DEFAULT 5;
ALTER TABLE action_histories ADD COLUMN high_effectiveness INTEGER NOT NULL DEFAULT 10;
ALTER TABLE action_histories ADD COLUMN legal_hold INTEGER NOT NULL DEFAULT 0;
ALTER TABLE action_histories ADD COLUMN compact INTEGER NOT NULL DEFAULT 0;
ALTER TABLE action_histories ADD COLUMN policy_set_at INTEGER;  -- NULL: the default policy counts

-- The policy of resources without one of their own.
CREATE TABLE retention_defaults (
  tenant_id           TEXT PRIMARY KEY,
  max_actions         INTEGER,
  max_age_days        INTEGER,
  compaction_strategy TEXT NOT NULL,
  min_effectiveness   REAL,
  pattern_examples    INTEGER NOT NULL,
  high_effectiveness  INTEGER NOT NULL,
  legal_hold          INTEGER NOT NULL,
  compact             INTEGER NOT NULL,
  policy_set_at       INTEGER NOT NULL
) WITHOUT ROWID;

-- What one run did to one resource.
CREATE TABLE retention_operations (
  tenant_id             TEXT NOT NULL,
  operation_id          TEXT NOT NULL,
  run_id                TEXT NOT NULL,
  resource_id           TEXT NOT NULL,     -- empty: actions without a known resource
  operation_type        TEXT NOT NULL,     -- cleanup, compact, archive, restore
  strategy_used         TEXT NOT NULL,
  records_before        INTEGER NOT NULL,
  records_after         INTEGER NOT NULL,
  records_deleted       INTEGER NOT NULL,
  records_archived      INTEGER,
  retention_criteria    TEXT,
  preserved_criteria    TEXT,
  operation_start       INTEGER NOT NULL,
  operation_end         INTEGER,
  operation_duration_ms INTEGER,
  operation_status      TEXT NOT NULL,     -- running, completed, failed
  error_message         TEXT,
  created_at            INTEGER NOT NULL,
  updated_at            INTEGER NOT NULL,  -- with each transaction of a run
  PRIMARY KEY (tenant_id, operation_id)
) WITHOUT ROWID;
CREATE INDEX retention_operations_time ON retention_operations (tenant_id, operation_start, operation_id);
CREATE INDEX retention_operations_running ON retention_operations (tenant_id, updated_at)
  WHERE operation_status = 'running';

-- The sums of actions that were removed. All can be added up further.
CREATE TABLE compacted_actions (
  tenant_id        TEXT NOT NULL,
  resource_id      TEXT NOT NULL,
  action_type      TEXT NOT NULL,
  alert_name       TEXT NOT NULL,     -- empty: none
  period_start     INTEGER NOT NULL,  -- of the month in UTC
  actions          INTEGER NOT NULL,
  completed        INTEGER NOT NULL,
  failed           INTEGER NOT NULL,  -- failed, rolled back or escalated
  assessed         INTEGER NOT NULL,
  score_sum        REAL NOT NULL,
  score_square_sum REAL NOT NULL,
  timed            INTEGER NOT NULL,  -- with a known duration
  duration_ms_sum  INTEGER NOT NULL,
  first_at         INTEGER NOT NULL,
  last_at          INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, resource_id, action_type, alert_name, period_start)
) WITHOUT ROWID;

-- The words of each action, once each, and the text index over them. `doc` stays when the file is vacuumed,
-- which a rowid of the traces does not. Neither positions nor columns are kept: words are looked up alone.
CREATE TABLE action_texts (
  doc       INTEGER PRIMARY KEY,
  tenant_id TEXT NOT NULL,
  action_id TEXT NOT NULL,
  words     TEXT NOT NULL
);
CREATE UNIQUE INDEX action_texts_id ON action_texts (tenant_id, action_id);
CREATE VIRTUAL TABLE action_words USING fts5 (
  words, content = 'action_texts', content_rowid = 'doc', detail = 'none', columnsize = 0,
  tokenize = 'unicode61'
);
-- A commit of FTS5 costs more than all else of an action, so texts join the index many at a time. Those after
-- this doc are not in it yet; a search looks through them one by one.
CREATE TABLE action_words_head (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  indexed INTEGER NOT NULL
);
INSERT INTO action_words_head VALUES (1, 0);
