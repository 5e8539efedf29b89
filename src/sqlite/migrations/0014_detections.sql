-- What nobody has settled yet, without what nobody ever will: a detection that was only tried, or that was found
-- afterwards, has no prevention to judge. What is unresolved is listed by it too.
DROP INDEX detections_unsettled;
CREATE INDEX detections_unsettled ON oscillation_detections (tenant_id, detected_at)
  WHERE resolved_at IS NULL OR (prevention_successful IS NULL AND prevention_action IS NOT NULL AND shadow = 0);
-- The newest of a pattern, and its rates, without a look at the rows.
CREATE INDEX detections_pattern ON oscillation_detections
  (tenant_id, pattern_id, detected_at, resolved_at, prevention_successful, false_positive);
