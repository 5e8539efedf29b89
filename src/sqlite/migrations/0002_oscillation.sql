-- What to watch for, and what was found.

CREATE TABLE oscillation_patterns (
  tenant_id               TEXT NOT NULL,
  pattern_id              TEXT NOT NULL,
  pattern_type            TEXT NOT NULL,
  pattern_name            TEXT NOT NULL,
  description             TEXT,
  min_occurrences         INTEGER NOT NULL,
  time_window_minutes     INTEGER NOT NULL,
  action_sequence         TEXT,
  threshold_config        TEXT,
  resource_types          TEXT NOT NULL DEFAULT '[]',
  namespaces              TEXT NOT NULL DEFAULT '[]',
  label_selectors         TEXT,
  prevention_strategy     TEXT NOT NULL,
  prevention_parameters   TEXT,
  alerting_enabled        INTEGER NOT NULL,
  alert_severity          TEXT NOT NULL,
  alert_channels          TEXT NOT NULL DEFAULT '[]',
  total_detections        INTEGER NOT NULL DEFAULT 0,
  prevention_success_rate REAL,
  false_positive_rate     REAL,
  last_detection_at       INTEGER,
  active                  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, pattern_id)
) WITHOUT ROWID;

CREATE TABLE oscillation_detections (
  tenant_id             TEXT NOT NULL,
  detection_id          TEXT NOT NULL,
  pattern_id            TEXT NOT NULL,
  pattern_type          TEXT NOT NULL,
  scope                 TEXT NOT NULL,        -- "resource:ID", "correlation:ID" or "session:ID"
  resources             TEXT NOT NULL,        -- ids of all resources involved
  detected_at           INTEGER NOT NULL,     -- the as_of of the decision
  confidence            REAL NOT NULL,
  severity              TEXT NOT NULL,
  sub_kind              TEXT,
  action_count          INTEGER NOT NULL,
  time_span_minutes     INTEGER NOT NULL,
  matching_actions      TEXT NOT NULL,        -- action ids, oldest first
  pattern_evidence      TEXT,
  first_at              INTEGER NOT NULL,
  last_at               INTEGER NOT NULL,
  prevention_applied    INTEGER NOT NULL,
  prevention_action     TEXT,
  in_force_until        INTEGER,
  refusals              INTEGER NOT NULL DEFAULT 0,
  refused_ids           TEXT NOT NULL DEFAULT '[]',
  prevention_successful INTEGER,
  resolved_at           INTEGER,
  resolution_method     TEXT,
  resolution_notes      TEXT,
  PRIMARY KEY (tenant_id, detection_id)
) WITHOUT ROWID;
CREATE INDEX detections_scope ON oscillation_detections (tenant_id, scope, detected_at);
CREATE INDEX detections_time ON oscillation_detections (tenant_id, detected_at);
CREATE INDEX detections_in_force ON oscillation_detections (tenant_id, in_force_until)
  WHERE resolved_at IS NULL;
