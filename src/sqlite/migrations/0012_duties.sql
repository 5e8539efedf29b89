-- The metrics, too, are brought up to date by one process at a time.
DROP TABLE upkeep_leases;
CREATE TABLE upkeep_leases (
  tenant_id  TEXT NOT NULL,
  duty       TEXT NOT NULL,
  worker     TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, duty)
) WITHOUT ROWID;
