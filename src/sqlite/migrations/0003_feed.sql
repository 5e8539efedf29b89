-- The embedding queue, and the feed that every replica follows.

CREATE TABLE embedding_spaces (
  tenant_id  TEXT NOT NULL,
  space_id   TEXT NOT NULL,
  dimension  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, space_id)
) WITHOUT ROWID;

-- One row a subject that changed, with its version, until the worker has dealt with that version.
CREATE TABLE embedding_queue (
  tenant_id   TEXT NOT NULL,
  subject_id  TEXT NOT NULL,
  version     INTEGER NOT NULL,
  enqueued_at INTEGER NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0,
  last_error  TEXT,
  PRIMARY KEY (tenant_id, subject_id)
) WITHOUT ROWID;
CREATE INDEX embedding_queue_time ON embedding_queue (tenant_id, enqueued_at);

CREATE TABLE worker_leases (
  tenant_id  TEXT PRIMARY KEY,
  worker     TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE feed_heads (
  tenant_id TEXT PRIMARY KEY,
  epoch     TEXT NOT NULL,      -- changes when the feed is rebuilt
  seq       INTEGER NOT NULL    -- of the newest row of the feed
) WITHOUT ROWID;

CREATE TABLE feed_subjects (
  tenant_id    TEXT NOT NULL,
  subject_id   TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  deleted      INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  text         TEXT NOT NULL,
  fields       TEXT,
  PRIMARY KEY (tenant_id, subject_id)
);
CREATE UNIQUE INDEX feed_subjects_seq ON feed_subjects (tenant_id, seq);

CREATE TABLE embeddings (
  tenant_id    TEXT NOT NULL,
  space_id     TEXT NOT NULL,
  subject_id   TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  content_hash TEXT NOT NULL,
  vector       BLOB NOT NULL,   -- little-endian float32
  PRIMARY KEY (tenant_id, space_id, subject_id)
);
CREATE UNIQUE INDEX embeddings_seq ON embeddings (tenant_id, space_id, seq);
