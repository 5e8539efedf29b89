-- Patterns with all that they can say, what became of detections, overrides, and what the guard may know about
-- a single resource.

ALTER TABLE oscillation_patterns ADD COLUMN shadow INTEGER NOT NULL DEFAULT 0;
ALTER TABLE oscillation_patterns ADD COLUMN created_at INTEGER;  -- NULL: before this was kept
ALTER TABLE oscillation_patterns ADD COLUMN updated_at INTEGER;

ALTER TABLE oscillation_detections ADD COLUMN shadow INTEGER NOT NULL DEFAULT 0;
ALTER TABLE oscillation_detections ADD COLUMN false_positive INTEGER NOT NULL DEFAULT 0;
ALTER TABLE oscillation_detections ADD COLUMN prevention_details TEXT;
ALTER TABLE oscillation_detections ADD COLUMN overrides INTEGER NOT NULL DEFAULT 0;
-- What nobody has settled yet.
CREATE INDEX detections_unsettled ON oscillation_detections (tenant_id, detected_at)
  WHERE resolved_at IS NULL OR prevention_successful IS NULL;

-- Who let a refused action pass, and why. Rows are never changed.
CREATE TABLE guard_overrides (
  tenant_id     TEXT NOT NULL,
  override_id   TEXT NOT NULL,
  action_id     TEXT NOT NULL,
  actor         TEXT NOT NULL,
  reason        TEXT NOT NULL,
  overridden_at INTEGER NOT NULL,
  detection_ids TEXT NOT NULL,        -- that would have refused it
  PRIMARY KEY (tenant_id, override_id)
) WITHOUT ROWID;
CREATE INDEX guard_overrides_time ON guard_overrides (tenant_id, overridden_at);

-- The history of a resource whose actions are guarded under their owner.
CREATE INDEX traces_owned ON resource_action_traces (tenant_id, kind, name, action_timestamp)
  WHERE owner IS NOT NULL;
