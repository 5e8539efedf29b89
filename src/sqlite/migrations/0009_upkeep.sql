-- Whose turn it is to do the upkeep: one process at a time.
CREATE TABLE upkeep_leases (
  tenant_id  TEXT NOT NULL PRIMARY KEY,
  worker     TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
