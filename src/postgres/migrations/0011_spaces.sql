-- Which embedding space a tenant's searches use, models that were fitted on its history, and since when a
-- deletion is told by the feed.

ALTER TABLE embedding_spaces ADD COLUMN created_at timestamptz;    -- NULL: before this was kept
ALTER TABLE embedding_spaces ADD COLUMN activated_at timestamptz;  -- NULL: never

CREATE TABLE embedding_models (
  tenant_id  text COLLATE "C" NOT NULL,
  space_id   text COLLATE "C" NOT NULL,
  model      bytea NOT NULL,
  PRIMARY KEY (tenant_id, space_id)
);
-- Floats do not compress.
ALTER TABLE embedding_models ALTER COLUMN model SET STORAGE EXTERNAL;

ALTER TABLE feed_heads ADD COLUMN space_id text COLLATE "C";  -- NULL: none yet
ALTER TABLE feed_heads ADD COLUMN trimmed_below bigint NOT NULL DEFAULT 0;
ALTER TABLE feed_subjects ADD COLUMN deleted_at timestamptz;  -- NULL: not deleted, or before this was kept
CREATE INDEX feed_subjects_deleted ON feed_subjects (tenant_id, deleted_at) WHERE deleted;

ALTER TABLE embedding_models ENABLE ROW LEVEL SECURITY;
ALTER TABLE embedding_models FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON embedding_models USING (tenant_id = current_setting('actionhist.tenant', true))
  WITH CHECK (tenant_id = current_setting('actionhist.tenant', true));
