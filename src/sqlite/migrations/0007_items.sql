-- What agents keep beside their actions: items under keys in namespaces, and the states of their runs.

CREATE TABLE items (
  tenant_id  TEXT NOT NULL,
  namespace  TEXT NOT NULL,     -- its labels, with a unit separator (U+001F) between them
  key        TEXT NOT NULL,
  value      TEXT NOT NULL,     -- a JSON object
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  ttl        INTEGER,           -- microseconds
  expires_at INTEGER,
  space_id   TEXT,
  vectors    BLOB,              -- 32-bit floats, one vector after the other
  PRIMARY KEY (tenant_id, namespace, key)
);
CREATE INDEX items_expiry ON items (tenant_id, expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE checkpoints (
  tenant_id            TEXT NOT NULL,
  thread_id            TEXT NOT NULL,
  checkpoint_ns        TEXT NOT NULL,
  checkpoint_id        TEXT NOT NULL,
  parent_checkpoint_id TEXT,
  format               TEXT NOT NULL,
  state                BLOB,
  metadata             TEXT,    -- a JSON object
  created_at           INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, thread_id, checkpoint_ns, checkpoint_id)
);
-- All threads, newest first.
CREATE INDEX checkpoints_newest ON checkpoints (tenant_id, checkpoint_id, thread_id, checkpoint_ns);

CREATE TABLE checkpoint_writes (
  tenant_id     TEXT NOT NULL,
  thread_id     TEXT NOT NULL,
  checkpoint_ns TEXT NOT NULL,
  checkpoint_id TEXT NOT NULL,
  task_id       TEXT NOT NULL,
  place         INTEGER NOT NULL,
  task_path     TEXT NOT NULL,
  channel       TEXT NOT NULL,
  format        TEXT NOT NULL,
  value         BLOB,
  PRIMARY KEY (tenant_id, thread_id, checkpoint_ns, checkpoint_id, task_id, place)
);
