-- What agents keep beside their actions: items under keys in namespaces, and the states of their runs.

CREATE TABLE items (
  tenant_id  text COLLATE "C" NOT NULL,
  namespace  text COLLATE "C" NOT NULL,     -- its labels, with a unit separator (U+001F) between them
  key        text COLLATE "C" NOT NULL,
  value      text NOT NULL,                 -- a JSON object
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  ttl        bigint,                        -- microseconds
  expires_at timestamptz,
  space_id   text COLLATE "C",
  vectors    bytea NOT NULL,                -- 32-bit floats, one vector after the other
  PRIMARY KEY (tenant_id, namespace, key)
);
CREATE INDEX items_expiry ON items (tenant_id, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE checkpoints (
  tenant_id            text COLLATE "C" NOT NULL,
  thread_id            text COLLATE "C" NOT NULL,
  checkpoint_ns        text COLLATE "C" NOT NULL,
  checkpoint_id        text COLLATE "C" NOT NULL,
  parent_checkpoint_id text COLLATE "C",
  format               text COLLATE "C" NOT NULL,
  state                bytea NOT NULL,
  metadata             text,                -- a JSON object
  created_at           timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, thread_id, checkpoint_ns, checkpoint_id)
);
-- All threads, newest first.
CREATE INDEX checkpoints_newest ON checkpoints (tenant_id, checkpoint_id, thread_id, checkpoint_ns);

CREATE TABLE checkpoint_writes (
  tenant_id     text COLLATE "C" NOT NULL,
  thread_id     text COLLATE "C" NOT NULL,
  checkpoint_ns text COLLATE "C" NOT NULL,
  checkpoint_id text COLLATE "C" NOT NULL,
  task_id       text COLLATE "C" NOT NULL,
  place         bigint NOT NULL,
  task_path     text COLLATE "C" NOT NULL,
  channel       text COLLATE "C" NOT NULL,
  format        text COLLATE "C" NOT NULL,
  value         bytea NOT NULL,
  PRIMARY KEY (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, place)
);

DO $block$
DECLARE
  guarded regclass;
BEGIN
  FOREACH guarded IN ARRAY ARRAY['items', 'checkpoints', 'checkpoint_writes']::regclass[] LOOP
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', guarded);
    EXECUTE format(
      'CREATE POLICY tenant ON %s USING (tenant_id = current_setting(''actionhist.tenant'', true)) '
      'WITH CHECK (tenant_id = current_setting(''actionhist.tenant'', true))', guarded);
  END LOOP;
END
$block$;
