-- A session sees and writes the rows of one tenant: the one that it has set. Without one it sees nothing.
-- Partitions are never granted to anybody, so that the policies of their parent always hold.
DO $block$
DECLARE
  guarded regclass;
BEGIN
  FOREACH guarded IN ARRAY ARRAY[
    'resource_references', 'resource_incarnations', 'action_histories', 'guard_heads',
    'resource_action_traces', 'action_ids', 'alert_events', 'oscillation_patterns', 'oscillation_detections',
    'embedding_spaces', 'embedding_queue', 'worker_leases', 'feed_heads', 'feed_subjects', 'embeddings'
  ]::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format(
      'CREATE POLICY tenant ON %s USING (tenant_id = current_setting(''actionhist.tenant'', true)) '
      'WITH CHECK (tenant_id = current_setting(''actionhist.tenant'', true))', guarded);
  END LOOP;
END
$block$;
REVOKE ALL ON FUNCTION actionhist_ensure_month(timestamptz) FROM PUBLIC;
