-- Whose turn it is to do the upkeep: one process at a time.
CREATE TABLE upkeep_leases (
  tenant_id  text COLLATE "C" NOT NULL PRIMARY KEY,
  worker     text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL
);
ALTER TABLE upkeep_leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE upkeep_leases FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON upkeep_leases USING (tenant_id = current_setting('actionhist.tenant', true))
  WITH CHECK (tenant_id = current_setting('actionhist.tenant', true));
