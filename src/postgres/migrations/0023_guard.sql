-- Where an alert was critical in the week before, looked up when a proposal is decided under its locks. How often each
-- fired is counted by the primary key.
CREATE INDEX alert_events_critical ON alert_events (tenant_id, (coalesce(namespace, '')), starts_at)
  WHERE severity = 'critical';

-- Tenants that have got the shipped patterns: what they remove of them is not shipped again.
CREATE TABLE shipped_patterns (
  tenant_id  text COLLATE "C" NOT NULL PRIMARY KEY,
  shipped_at timestamptz NOT NULL
);
ALTER TABLE shipped_patterns ENABLE ROW LEVEL SECURITY;
ALTER TABLE shipped_patterns FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON shipped_patterns USING (tenant_id = current_setting('actionhist.tenant', true))
  WITH CHECK (tenant_id = current_setting('actionhist.tenant', true));
