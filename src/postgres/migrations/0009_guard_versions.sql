-- A resource's history is what a proposal on it locks. Its version changes with everything that a decision reads:
-- the traces, the detections and the policy of the resource. So does the version of a guard head, which is left to
-- correlations, to sessions, and to 'watch': the patterns and the alerts of the tenant.
ALTER TABLE action_histories ADD COLUMN version bigint NOT NULL DEFAULT 0;
