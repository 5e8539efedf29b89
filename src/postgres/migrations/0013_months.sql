-- Months on their way out of the database, out of it, and on their way back.

-- No tenant's: a month is everybody's.
CREATE TABLE closed_months (
  month     text COLLATE "C" PRIMARY KEY,   -- "2026-03", in UTC
  state     text COLLATE "C" NOT NULL,      -- detaching, detached, archived, restoring
  departure text COLLATE "C" NOT NULL,      -- an id of its own each time that the month is closed
  actions   bigint,                         -- once archived, as the next two
  sha256    text COLLATE "C",
  archive   text,
  closed_at timestamptz NOT NULL DEFAULT now()
);

-- How far the counters of a tenant's resources are without the month, and with it again.
CREATE TABLE counted_months (
  tenant_id   text COLLATE "C" NOT NULL,
  departure   text COLLATE "C" NOT NULL,
  taken_to    text COLLATE "C" NOT NULL DEFAULT '',  -- the last resource
  taken       boolean NOT NULL DEFAULT false,        -- all of them
  returned_to text COLLATE "C" NOT NULL DEFAULT '',
  returned    boolean NOT NULL DEFAULT false,
  PRIMARY KEY (tenant_id, departure)
);
ALTER TABLE counted_months ENABLE ROW LEVEL SECURITY;
ALTER TABLE counted_months FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON counted_months USING (tenant_id = current_setting('actionhist.tenant', true))
  WITH CHECK (tenant_id = current_setting('actionhist.tenant', true));

-- The trigger of a closed month: while it is counted nothing in it changes.
CREATE FUNCTION actionhist_closed_month() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE object_not_in_prerequisite_state USING MESSAGE = format(
    '%s is closed while its month is archived or restored; see actionhist partitions list', TG_TABLE_NAME);
END
$function$;

-- As before, but a month that was taken out is not made anew.
CREATE OR REPLACE FUNCTION actionhist_ensure_month(moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $function$
DECLARE
  month    timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
  part     text := 'resource_action_traces_' || to_char(month, 'YYYY_MM');
  part_of  regclass := 'resource_action_traces'::regclass;
  away     text;
BEGIN
  IF moment < '2000-01-01 UTC' OR moment >= '2200-01-01 UTC' THEN
    RAISE EXCEPTION 'no partition for %: outside 2000 to 2200', moment;
  END IF;
  IF EXISTS (SELECT FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
             WHERE i.inhparent = part_of AND c.relname = part AND NOT i.inhdetachpending) THEN
    RETURN false;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('actionhist_ensure_month', part_of::oid::bigint));
  SELECT c.state INTO away FROM closed_months c WHERE c.month = to_char(date_trunc('month', moment AT TIME ZONE 'UTC'), 'YYYY-MM');
  IF away IS NOT NULL THEN
    RAISE duplicate_table USING MESSAGE = format(
      'month %s is %s: nothing can be stored in it; see actionhist partitions', to_char(month, 'YYYY-MM'), away);
  END IF;
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
