-- Patterns with all that they can say, what became of detections, overrides, and the history of a resource that
-- is guarded under its owner.

ALTER TABLE oscillation_patterns ADD COLUMN shadow boolean NOT NULL DEFAULT false;
ALTER TABLE oscillation_patterns ADD COLUMN created_at timestamptz;  -- NULL: before this was kept
ALTER TABLE oscillation_patterns ADD COLUMN updated_at timestamptz;

ALTER TABLE oscillation_detections ADD COLUMN shadow boolean NOT NULL DEFAULT false;
ALTER TABLE oscillation_detections ADD COLUMN false_positive boolean NOT NULL DEFAULT false;
ALTER TABLE oscillation_detections ADD COLUMN prevention_details text COLLATE "C";
ALTER TABLE oscillation_detections ADD COLUMN overrides bigint NOT NULL DEFAULT 0;
-- What nobody has settled yet.
CREATE INDEX detections_unsettled ON oscillation_detections (tenant_id, detected_at)
  WHERE resolved_at IS NULL OR prevention_successful IS NULL;

-- Who let a refused action pass, and why. Rows are never changed.
CREATE TABLE guard_overrides (
  tenant_id     text COLLATE "C" NOT NULL,
  override_id   text COLLATE "C" NOT NULL,
  action_id     text COLLATE "C" NOT NULL,
  actor         text COLLATE "C" NOT NULL,
  reason        text COLLATE "C" NOT NULL,
  overridden_at timestamptz NOT NULL,
  detection_ids text COLLATE "C" NOT NULL,  -- that would have refused it
  PRIMARY KEY (tenant_id, override_id)
);
CREATE INDEX guard_overrides_time ON guard_overrides (tenant_id, overridden_at);
ALTER TABLE guard_overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE guard_overrides FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON guard_overrides USING (tenant_id = current_setting('actionhist.tenant', true))
  WITH CHECK (tenant_id = current_setting('actionhist.tenant', true));

CREATE INDEX traces_owned ON resource_action_traces (tenant_id, kind, name, action_timestamp)
  WHERE owner IS NOT NULL;
