-- The metrics, too, are brought up to date by one process at a time.
ALTER TABLE upkeep_leases ADD COLUMN duty text COLLATE "C" NOT NULL DEFAULT 'upkeep';
ALTER TABLE upkeep_leases ALTER COLUMN duty DROP DEFAULT;
ALTER TABLE upkeep_leases DROP CONSTRAINT upkeep_leases_pkey;
ALTER TABLE upkeep_leases ADD PRIMARY KEY (tenant_id, duty);
