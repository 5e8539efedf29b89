-- The actions of the session's tenant that hold a word beginning with `sought`, or in whose JSON column `sought`
-- or `also` is contained, newest first, about `most` of them: as before, but by the index that is meant for it,
-- whatever the planner expects. Where most actions hold a word, it took the tenant's rows by another index and made
-- the words of each of them anew, at a thousand times the cost; so the tenant is asked for in a form that no index
-- serves.
CREATE OR REPLACE FUNCTION actionhist_indexed(what text, sought text, also text, since timestamptz, until timestamptz,
                                              most bigint)
RETURNS TABLE (found_at timestamptz, found_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT SET enable_seqscan = off AS $function$
DECLARE
  condition text := CASE
    WHEN what = 'words' THEN
      'actionhist_words(alert_name, alert_annotations, model_reasoning, action_type, action_parameters, kind, '
      'name, metadata, execution_error) @@ $1::tsquery AND $2 IS NULL'
    WHEN what IN ('alert_labels', 'action_parameters', 'resource_state_before', 'metadata') THEN
      format('(%1$I::jsonb @> $1::jsonb OR %1$I::jsonb @> $2::jsonb)', what) END;
  word  text := quote_literal(replace(left(sought, 200), '\', '\\')) || ':*';
  month regclass;
  found bigint;
BEGIN
  FOR month IN
    SELECT c.oid FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'resource_action_traces'::regclass
      AND c.relname >= 'resource_action_traces_' || coalesce(to_char(since AT TIME ZONE 'UTC', 'YYYY_MM'), '')
      AND (until IS NULL OR c.relname <= 'resource_action_traces_' || to_char(until AT TIME ZONE 'UTC', 'YYYY_MM'))
    ORDER BY c.relname DESC
  LOOP
    BEGIN
      RETURN QUERY EXECUTE format(
        'SELECT action_timestamp, action_id FROM %s '
        'WHERE tenant_id || '''' = current_setting(''actionhist.tenant'', true) AND %s '
        'AND ($3 IS NULL OR action_timestamp >= $3) AND ($4 IS NULL OR action_timestamp < $4) '
        'ORDER BY action_timestamp DESC, action_id DESC LIMIT $5', month, condition)
        USING CASE WHEN what = 'words' THEN word ELSE sought END, also, since, until, most;
      GET DIAGNOSTICS found = ROW_COUNT;
      most := most - found;
    EXCEPTION WHEN undefined_table THEN
      NULL;  -- the month was taken away meanwhile
    END;
    EXIT WHEN most <= 0;
  END LOOP;
END
$function$;
