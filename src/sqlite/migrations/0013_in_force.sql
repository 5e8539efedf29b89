-- The guard asks what is in force for a few scopes, however many others are being cooled.
DROP INDEX detections_in_force;
CREATE INDEX detections_in_force ON oscillation_detections (tenant_id, scope, in_force_until)
  WHERE resolved_at IS NULL;
