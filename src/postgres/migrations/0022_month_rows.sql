-- A month's partition is read by its owner alone, whatever others are granted on it by default privileges or by GRANT
-- ON ALL TABLES: row-level security without a policy shows them no row. Whoever asks through its parent is held by
-- the parent's policies and not by this.

-- As before, with row-level security.
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
  EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
  EXECUTE format('ALTER TABLE resource_action_traces ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', part,
                 month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
  RETURN true;
END
$function$;

-- The months that are there, attached or not. First the parent, as everybody locks them.
LOCK TABLE resource_action_traces IN ACCESS EXCLUSIVE MODE;
DO $months$
DECLARE
  part regclass;
BEGIN
  FOR part IN SELECT oid FROM pg_class WHERE relnamespace = (SELECT relnamespace FROM pg_class
              WHERE oid = 'resource_action_traces'::regclass) AND relkind = 'r' AND
              relname ~ '^resource_action_traces_[0-9]{4}_[0-9]{2}$' LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', part);
  END LOOP;
END
$months$;
