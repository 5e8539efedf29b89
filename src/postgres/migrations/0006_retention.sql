-- How long actions are kept, what runs removed, and the sums that they left. Nothing expires until a policy
-- is set.

-- A policy beside max_actions, max_age_days and compaction_strategy.
ALTER TABLE action_histories
  ADD COLUMN min_effectiveness  double precision,
  ADD COLUMN pattern_examples   bigint NOT NULL DEFAULT 5,
  ADD COLUMN high_effectiveness bigint NOT NULL DEFAULT 10,
  ADD COLUMN legal_hold         boolean NOT NULL DEFAULT false,
  ADD COLUMN compact            boolean NOT NULL DEFAULT false,
  ADD COLUMN policy_set_at      timestamptz;  -- NULL: the default policy counts

-- The policy of resources without one of their own.
CREATE TABLE retention_defaults (
  tenant_id           text COLLATE "C" PRIMARY KEY,
  max_actions         bigint,
  max_age_days        bigint,
  compaction_strategy text COLLATE "C" NOT NULL,
  min_effectiveness   double precision,
  pattern_examples    bigint NOT NULL,
  high_effectiveness  bigint NOT NULL,
  legal_hold          boolean NOT NULL,
  compact             boolean NOT NULL,
  policy_set_at       timestamptz NOT NULL
);

-- What one run did to one resource.
CREATE TABLE retention_operations (
  tenant_id             text COLLATE "C" NOT NULL,
  operation_id          text COLLATE "C" NOT NULL,
  run_id                text COLLATE "C" NOT NULL,
  resource_id           text COLLATE "C" NOT NULL,  -- empty: actions without a known resource
  operation_type        text COLLATE "C" NOT NULL,  -- cleanup, compact, archive, restore
  strategy_used         text COLLATE "C" NOT NULL,
  records_before        bigint NOT NULL,
  records_after         bigint NOT NULL,
  records_deleted       bigint NOT NULL,
  records_archived      bigint,
  retention_criteria    text COLLATE "C",
  preserved_criteria    text COLLATE "C",
  operation_start       timestamptz NOT NULL,
  operation_end         timestamptz,
  operation_duration_ms bigint,
  operation_status      text COLLATE "C" NOT NULL,  -- running, completed, failed
  error_message         text COLLATE "C",
  created_at            timestamptz NOT NULL,
  updated_at            timestamptz NOT NULL,       -- with each transaction of a run
  PRIMARY KEY (tenant_id, operation_id)
);
CREATE INDEX retention_operations_time ON retention_operations (tenant_id, operation_start, operation_id);

-- The sums of actions that were removed. All can be added up further.
CREATE TABLE compacted_actions (
  tenant_id        text COLLATE "C" NOT NULL,
  resource_id      text COLLATE "C" NOT NULL,
  action_type      text COLLATE "C" NOT NULL,
  alert_name       text COLLATE "C" NOT NULL,  -- empty: none
  period_start     timestamptz NOT NULL,       -- of the month in UTC
  actions          bigint NOT NULL,
  completed        bigint NOT NULL,
  failed           bigint NOT NULL,            -- failed, rolled back or escalated
  assessed         bigint NOT NULL,
  score_sum        double precision NOT NULL,
  score_square_sum double precision NOT NULL,
  timed            bigint NOT NULL,            -- with a known duration
  duration_ms_sum  bigint NOT NULL,
  first_at         timestamptz NOT NULL,
  last_at          timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, resource_id, action_type, alert_name, period_start)
);

DO $block$
DECLARE
  guarded regclass;
BEGIN
  FOREACH guarded IN ARRAY ARRAY['retention_defaults', 'retention_operations', 'compacted_actions']::regclass[]
  LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format(
      'CREATE POLICY tenant ON %s USING (tenant_id = current_setting(''actionhist.tenant'', true)) '
      'WITH CHECK (tenant_id = current_setting(''actionhist.tenant'', true))', guarded);
  END LOOP;
END
$block$;
