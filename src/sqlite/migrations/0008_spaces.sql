-- Which embedding space a tenant's searches use, models that were fitted on its history, and since when a
-- deletion is told by the feed.

ALTER TABLE embedding_spaces ADD COLUMN created_at INTEGER;    -- NULL: before this was kept
ALTER TABLE embedding_spaces ADD COLUMN activated_at INTEGER;  -- NULL: never

CREATE TABLE embedding_models (
  tenant_id  TEXT NOT NULL,
  space_id   TEXT NOT NULL,
  model      BLOB NOT NULL,
  PRIMARY KEY (tenant_id, space_id)
);

ALTER TABLE feed_heads ADD COLUMN space_id TEXT;  -- NULL: none yet
ALTER TABLE feed_heads ADD COLUMN trimmed_below INTEGER NOT NULL DEFAULT 0;

ALTER TABLE feed_subjects ADD COLUMN deleted_at INTEGER;  -- NULL: not deleted, or before this was kept
CREATE INDEX feed_subjects_deleted ON feed_subjects (tenant_id, deleted_at) WHERE deleted;
