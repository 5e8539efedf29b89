-- What was acted on under an owner, which guards it: such actions belong to the owner's resource, and whoever asks by
-- the name of the thing itself learns here whether to look for them, instead of in every month. A name that is here
-- costs a look; one that is missing would hide its actions.
CREATE TABLE owned_names (
  tenant_id text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  name      text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant_id, kind, name)
);

-- Of all tenants, so month by month: policies hold on their parent alone.
DO $names$
DECLARE
  month regclass;
BEGIN
  FOR month IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'resource_action_traces'::regclass LOOP
    EXECUTE format('INSERT INTO owned_names SELECT DISTINCT tenant_id, kind, name FROM %s '
                   'WHERE owner IS NOT NULL AND kind IS NOT NULL AND name IS NOT NULL ON CONFLICT DO NOTHING', month);
  END LOOP;
END
$names$;

ALTER TABLE owned_names ENABLE ROW LEVEL SECURITY;
ALTER TABLE owned_names FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON owned_names USING (tenant_id = current_setting('actionhist.tenant', true))
  WITH CHECK (tenant_id = current_setting('actionhist.tenant', true));
