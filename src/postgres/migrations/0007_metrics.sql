-- Effectiveness by scope, type and period; what it still has to be computed from; assessments that are due.

CREATE TABLE action_effectiveness_metrics (
  tenant_id                 text COLLATE "C" NOT NULL,
  scope_type                text COLLATE "C" NOT NULL,     -- global, namespace, resource-type, alert-type, model
  scope_value               text COLLATE "C" NOT NULL,     -- empty for global, and for actions that do not say it
  metric_period             text COLLATE "C" NOT NULL,     -- 1h, 24h, 7d, 30d
  period_start              timestamptz NOT NULL,
  period_end                timestamptz NOT NULL,
  action_type               text COLLATE "C" NOT NULL,
  sample_size               bigint NOT NULL,
  average_score             double precision NOT NULL,
  median_score              double precision NOT NULL,
  std_deviation             double precision NOT NULL,
  confidence_interval_lower double precision NOT NULL,
  confidence_interval_upper double precision NOT NULL,
  trend_direction           text COLLATE "C" NOT NULL,     -- improving, stable, declining, unknown
  trend_confidence          double precision,
  trend_slope               double precision,
  min_sample_size_met       boolean NOT NULL,
  statistical_significance  double precision,              -- p against the period before
  alarm                     boolean NOT NULL,
  PRIMARY KEY (tenant_id, metric_period, period_start, scope_type, scope_value, action_type)
);

-- Hours whose scores changed since the metrics were computed. Rows are only added, so that writers never wait
-- for each other; many of one hour are as good as one.
CREATE TABLE scored_hours (
  tenant_id text COLLATE "C" NOT NULL,
  hour      timestamptz NOT NULL,
  version   bigint GENERATED ALWAYS AS IDENTITY,
  PRIMARY KEY (tenant_id, hour, version)
);

-- Scores in order of time, without those that nobody assessed.
CREATE INDEX traces_scored ON resource_action_traces (tenant_id, action_timestamp)
  WHERE effectiveness_score IS NOT NULL;
-- Assessments that are due, and who has taken one.
CREATE INDEX traces_due ON resource_action_traces (tenant_id, effectiveness_due_at)
  WHERE effectiveness_score IS NULL AND effectiveness_due_at IS NOT NULL;
CREATE TABLE assessment_leases (
  tenant_id  text COLLATE "C" NOT NULL,
  action_id  text COLLATE "C" NOT NULL,
  worker     text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, action_id)
);

DO $block$
DECLARE
  guarded regclass;
BEGIN
  FOREACH guarded IN ARRAY ARRAY['action_effectiveness_metrics', 'scored_hours', 'assessment_leases']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format(
      'CREATE POLICY tenant ON %s USING (tenant_id = current_setting(''actionhist.tenant'', true)) '
      'WITH CHECK (tenant_id = current_setting(''actionhist.tenant'', true))', guarded);
  END LOOP;
END
$block$;
