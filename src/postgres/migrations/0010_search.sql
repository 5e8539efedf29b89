-- Searching through indexes that row-level security would leave unused. The indexes themselves are made on
-- demand, by `actionhist migrate --indexes search`.

-- What can be found of an action: each word once, in lower case, with the parts of camel case beside it.
-- Ideographs, kana and Hangul are written without blanks: each pair of neighbours is a word too.
CREATE FUNCTION actionhist_words(VARIADIC parts text[]) RETURNS tsvector
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 500 AS $function$
DECLARE
  -- An escape of JSON text is no letter. What lies beyond is more than a tsvector might hold.
  said  text COLLATE "C" := left(array_to_string(parts, ' '), 100000);
  words text[];
BEGIN
  IF position('\' IN said) > 0 THEN
    said := regexp_replace(said, '\\.', ' ', 'g');
  END IF;
  words := ARRAY(SELECT DISTINCT unnest(string_to_array(
    translate(said, E'\n\r\t!"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~', repeat(' ', 40)), ' ')));
  words := words || ARRAY(
    SELECT unnest(string_to_array(regexp_replace(regexp_replace(word, '([a-z])([A-Z])', '\1 \2', 'g'),
                                                 '([A-Z])([A-Z][a-z])', '\1 \2', 'g'), ' '))
    FROM unnest(words) AS word WHERE word ~ '[A-Za-z][A-Z]');
  IF octet_length(said) > length(said) THEN
    words := words || ARRAY(
      SELECT letter || CASE WHEN next BETWEEN chr(12288) AND chr(55295) THEN next ELSE '' END
      FROM (SELECT letter COLLATE "C" AS letter, lead(letter COLLATE "C") OVER (ORDER BY place) AS next
            FROM unnest(string_to_array(said, NULL)) WITH ORDINALITY AS each (letter, place)) AS pair
      WHERE letter BETWEEN chr(12288) AND chr(55295));
  END IF;
  RETURN array_to_tsvector(ARRAY(SELECT DISTINCT lower(left(word, 200)) FROM unnest(words) AS word WHERE word <> ''));
END
$function$;

-- The actions of the session's tenant that hold a word beginning with `sought`, or in whose JSON column `sought`
-- or `also` is contained, newest first, about `most` of them. It looks into one month after the other and not
-- into their parent, where row-level security lets no such index be used; so the tenant is asked for here.
CREATE FUNCTION actionhist_indexed(what text, sought text, also text, since timestamptz, until timestamptz,
                                   most bigint)
RETURNS TABLE (found_at timestamptz, found_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $function$
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
        'SELECT action_timestamp, action_id FROM %s WHERE tenant_id = current_setting(''actionhist.tenant'', true) '
        'AND %s AND ($3 IS NULL OR action_timestamp >= $3) AND ($4 IS NULL OR action_timestamp < $4) '
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
REVOKE ALL ON FUNCTION actionhist_indexed(text, text, text, timestamptz, timestamptz, bigint) FROM PUBLIC;
