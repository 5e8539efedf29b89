-- Resources, actions and their outcomes. JSON is canonical text; what was not given is NULL. tenant_id leads
-- every key, for row-level security and for distribution.

CREATE TABLE resource_references (
  tenant_id    text COLLATE "C" NOT NULL,
  resource_id  text COLLATE "C" NOT NULL,  -- UUIDv5 of tenant, cluster, group, kind, namespace and name
  cluster      text COLLATE "C" NOT NULL,
  api_group    text COLLATE "C" NOT NULL,
  api_version  text COLLATE "C" NOT NULL,  -- as last seen
  kind         text COLLATE "C" NOT NULL,
  namespace    text COLLATE "C" NOT NULL,
  name         text COLLATE "C" NOT NULL,
  created_at   timestamptz NOT NULL,
  deleted_at   timestamptz,
  last_seen    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, resource_id)
);
-- A resource as people name it, whatever its cluster and group.
CREATE INDEX resource_names ON resource_references (tenant_id, kind, name);

CREATE TABLE resource_incarnations (
  tenant_id    text COLLATE "C" NOT NULL,
  resource_id  text COLLATE "C" NOT NULL,
  resource_uid text COLLATE "C" NOT NULL,
  api_version  text COLLATE "C" NOT NULL,
  created_at   timestamptz NOT NULL,
  deleted_at   timestamptz,
  last_seen    timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, resource_id, resource_uid)
);

-- Policy and counters of a resource. No index on what each action changes, so that updates stay in place.
CREATE TABLE action_histories (
  tenant_id                  text COLLATE "C" NOT NULL,
  resource_id                text COLLATE "C" NOT NULL,
  max_actions                bigint,      -- NULL: nothing expires
  max_age_days               bigint,
  compaction_strategy        text NOT NULL DEFAULT 'pattern-aware',
  oscillation_window_minutes bigint,      -- NULL: each pattern's own
  effectiveness_threshold    double precision,
  pattern_min_occurrences    bigint,
  total_actions              bigint NOT NULL DEFAULT 0,
  last_action_at             timestamptz,
  last_analysis_at           timestamptz,
  next_analysis_at           timestamptz,
  created_at                 timestamptz NOT NULL,
  updated_at                 timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, resource_id)
) WITH (fillfactor = 70);

-- What a proposal locks: one row for each resource, correlation or session that was ever guarded.
CREATE TABLE guard_heads (
  tenant_id text COLLATE "C" NOT NULL,
  scope     text COLLATE "C" NOT NULL,   -- "resource:ID", "correlation:ID" or "session:ID"
  version   bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (tenant_id, scope)
) WITH (fillfactor = 70);

CREATE TABLE resource_action_traces (
  tenant_id                       text COLLATE "C" NOT NULL,
  action_id                       text COLLATE "C" NOT NULL,
  correlation_id                  text COLLATE "C",
  session_id                      text COLLATE "C",
  actor                           text COLLATE "C",
  environment                     text COLLATE "C",
  action_timestamp                timestamptz NOT NULL,
  alert_name                      text COLLATE "C",
  alert_severity                  text COLLATE "C",
  alert_labels                    text COLLATE "C",
  alert_annotations               text COLLATE "C",
  alert_firing_time               timestamptz,
  alert_fingerprint               text COLLATE "C",
  model_used                      text COLLATE "C",
  routing_tier                    text COLLATE "C",
  model_confidence                double precision,
  model_reasoning                 text COLLATE "C",
  alternative_actions             text COLLATE "C",
  action_type                     text COLLATE "C" NOT NULL,
  effect                          text COLLATE "C" NOT NULL,
  action_parameters               text COLLATE "C",
  owner                           text COLLATE "C",
  resource_state_before           text COLLATE "C",
  pre_spec_hash                   text COLLATE "C",
  follow_up_actions               text COLLATE "C",
  metadata                        text COLLATE "C",
  cluster                         text COLLATE "C",
  api_group                       text COLLATE "C",
  api_version                     text COLLATE "C",
  kind                            text COLLATE "C",
  namespace                       text COLLATE "C",
  name                            text COLLATE "C",
  resource_uid                    text COLLATE "C",
  resource_id                     text COLLATE "C",
  execution_status                text COLLATE "C" NOT NULL,
  execution_start_time            timestamptz,
  execution_end_time              timestamptz,
  execution_duration_ms           bigint,
  execution_error                 text COLLATE "C",
  kubernetes_operations           text COLLATE "C",
  resource_state_after            text COLLATE "C",
  post_spec_hash                  text COLLATE "C",
  result_hash                     text COLLATE "C",
  effectiveness_score             double precision,
  effectiveness_criteria          text COLLATE "C",
  effectiveness_assessed_at       timestamptz,
  effectiveness_assessment_method text COLLATE "C",
  effectiveness_notes             text COLLATE "C",
  effectiveness_due_at            timestamptz,
  created_at                      timestamptz NOT NULL,
  updated_at                      timestamptz NOT NULL,
  -- Unique on the id alone: our ids carry their time, and the others are registered in action_ids.
  PRIMARY KEY (tenant_id, action_id, action_timestamp)
) PARTITION BY RANGE (action_timestamp);

-- The guard's window and the history of a resource.
CREATE INDEX traces_resource ON resource_action_traces (tenant_id, resource_id, action_timestamp, action_id)
  WHERE resource_id IS NOT NULL;
-- The guard's window by correlation and by session.
CREATE INDEX traces_correlation
  ON resource_action_traces (tenant_id, correlation_id, action_timestamp, action_id)
  WHERE correlation_id IS NOT NULL;
CREATE INDEX traces_session ON resource_action_traces (tenant_id, session_id, action_timestamp, action_id)
  WHERE session_id IS NOT NULL;
-- Lists of a tenant, newest first. Its condition is always true, and only a query that repeats it may take
-- this index: a plan made without statistics would otherwise read a whole month instead of a resource.
CREATE INDEX traces_time ON resource_action_traces (tenant_id, action_timestamp, action_id)
  WHERE created_at > '-infinity';

-- Ids that callers brought, with the time of the action they stand for, and ids whose trace was deleted.
CREATE TABLE action_ids (
  tenant_id        text COLLATE "C" NOT NULL,
  action_id        text COLLATE "C" NOT NULL,
  action_timestamp timestamptz NOT NULL,
  deleted_at       timestamptz,
  PRIMARY KEY (tenant_id, action_id)
);

CREATE TABLE alert_events (
  tenant_id    text COLLATE "C" NOT NULL,
  fingerprint  text COLLATE "C" NOT NULL,
  starts_at    timestamptz NOT NULL,
  ends_at      timestamptz,
  alert_name   text COLLATE "C" NOT NULL,
  severity     text COLLATE "C",
  labels       text COLLATE "C",
  resource_id  text COLLATE "C",
  cluster      text COLLATE "C",
  api_group    text COLLATE "C",
  api_version  text COLLATE "C",
  kind         text COLLATE "C",
  namespace    text COLLATE "C",
  name         text COLLATE "C",
  resource_uid text COLLATE "C",
  PRIMARY KEY (tenant_id, fingerprint, starts_at)
);
CREATE INDEX alert_events_time ON alert_events (tenant_id, starts_at);

-- Makes the partition of the month that holds `moment`, and says whether it was missing. It is built apart
-- and attached, which lets writers go on; it runs with the rights of the schema's owner.
CREATE FUNCTION actionhist_ensure_month(moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $function$
DECLARE
  month    timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  part     text := 'resource_action_traces_' || to_char(month, 'YYYY_MM');
  part_of  regclass := 'resource_action_traces'::regclass;
BEGIN
  IF moment < '2000-01-01 UTC' OR moment >= '2200-01-01 UTC' THEN
    RAISE EXCEPTION 'no partition for %: outside 2000 to 2200', moment;
  END IF;
  IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = part_of AND c.relname = part AND NOT i.inhdetachpending) THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('actionhist_ensure_month', part_of::oid::bigint));
  IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = part_of AND c.relname = part) THEN
    RETURN false;
  END IF;
  IF to_regclass(part) IS NOT NULL THEN
    RAISE duplicate_table USING MESSAGE = format('table %s is there, but is no partition; attach or rename it', part);
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE resource_action_traces INCLUDING DEFAULTS)', part);
  EXECUTE format('ALTER TABLE resource_action_traces ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
                 month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
  RETURN true;
END
$function$;
