-- The embedding queue, and the feed that every replica follows.

CREATE TABLE embedding_spaces (
  tenant_id  text COLLATE "C" NOT NULL,
  space_id   text COLLATE "C" NOT NULL,
  dimension  bigint NOT NULL,
  PRIMARY KEY (tenant_id, space_id)
);

-- One row a subject that changed, with its version, until the worker has dealt with that version.
CREATE TABLE embedding_queue (
  tenant_id   text COLLATE "C" NOT NULL,
  subject_id  text COLLATE "C" NOT NULL,
  version     bigint NOT NULL,
  enqueued_at timestamptz NOT NULL,
  attempts    bigint NOT NULL DEFAULT 0,
  last_error  text COLLATE "C",
  PRIMARY KEY (tenant_id, subject_id)
) WITH (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_threshold = 1000);
CREATE INDEX embedding_queue_time ON embedding_queue (tenant_id, enqueued_at);

CREATE TABLE worker_leases (
  tenant_id  text COLLATE "C" PRIMARY KEY,
  worker     text COLLATE "C" NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE feed_heads (
  tenant_id text COLLATE "C" PRIMARY KEY,
  epoch     text COLLATE "C" NOT NULL,      -- changes when the feed is rebuilt
  seq       bigint NOT NULL                 -- of the newest row of the feed
);

CREATE TABLE feed_subjects (
  tenant_id    text COLLATE "C" NOT NULL,
  subject_id   text COLLATE "C" NOT NULL,
  seq          bigint NOT NULL,
  deleted      boolean NOT NULL,
  content_hash text COLLATE "C" NOT NULL,
  text         text COLLATE "C" NOT NULL,
  fields       text COLLATE "C",
  PRIMARY KEY (tenant_id, subject_id)
);
CREATE UNIQUE INDEX feed_subjects_seq ON feed_subjects (tenant_id, seq);

CREATE TABLE embeddings (
  tenant_id    text COLLATE "C" NOT NULL,
  space_id     text COLLATE "C" NOT NULL,
  subject_id   text COLLATE "C" NOT NULL,
  seq          bigint NOT NULL,
  content_hash text COLLATE "C" NOT NULL,
  vector       bytea NOT NULL,   -- little-endian float32
  PRIMARY KEY (tenant_id, space_id, subject_id)
);
CREATE UNIQUE INDEX embeddings_seq ON embeddings (tenant_id, space_id, seq);
-- Floats do not compress.
ALTER TABLE embeddings ALTER COLUMN vector SET STORAGE EXTERNAL;
