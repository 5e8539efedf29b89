-- Effectiveness by scope, type and period; what it still has to be computed from; assessments that are due.

CREATE TABLE action_effectiveness_metrics (
  tenant_id                 TEXT NOT NULL,
  scope_type                TEXT NOT NULL,     -- global, namespace, resource-type, alert-type, model
  scope_value               TEXT NOT NULL,     -- empty for global, and for actions that do not say it
  metric_period             TEXT NOT NULL,     -- 1h, 24h, 7d, 30d
  period_start              INTEGER NOT NULL,
  period_end                INTEGER NOT NULL,
  action_type               TEXT NOT NULL,
  sample_size               INTEGER NOT NULL,
  average_score             REAL NOT NULL,
  median_score              REAL NOT NULL,
  std_deviation             REAL NOT NULL,
  confidence_interval_lower REAL NOT NULL,
  confidence_interval_upper REAL NOT NULL,
  trend_direction           TEXT NOT NULL,     -- improving, stable, declining, unknown
  trend_confidence          REAL,
  trend_slope               REAL,
  min_sample_size_met       INTEGER NOT NULL,
  statistical_significance  REAL,              -- p against the period before
  alarm                     INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, metric_period, period_start, scope_type, scope_value, action_type)
) WITHOUT ROWID;

-- Hours whose scores changed since the metrics were computed. The version keeps a change that comes meanwhile.
CREATE TABLE scored_hours (
  tenant_id TEXT NOT NULL,
  hour      INTEGER NOT NULL,
  version   INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, hour)
) WITHOUT ROWID;

-- Scores in order of time, without those that nobody assessed.
CREATE INDEX traces_scored ON resource_action_traces (tenant_id, action_timestamp)
  WHERE effectiveness_score IS NOT NULL;
-- Assessments that are due, and who has taken one.
CREATE INDEX traces_due ON resource_action_traces (tenant_id, effectiveness_due_at)
  WHERE effectiveness_score IS NULL AND effectiveness_due_at IS NOT NULL;
CREATE TABLE assessment_leases (
  tenant_id  TEXT NOT NULL,
  action_id  TEXT NOT NULL,
  worker     TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, action_id)
) WITHOUT ROWID;

-- What was scored before this was kept.
INSERT INTO scored_hours (tenant_id, hour, version)
  SELECT DISTINCT tenant_id, action_timestamp / 3600000000 * 3600000000, 1 FROM resource_action_traces
  WHERE effectiveness_score IS NOT NULL;
