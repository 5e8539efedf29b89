-- Which transactions have made the feed, so that a replica notices a feed that was put back and went on from there;
-- and who fills a space, until when.

-- One row a transaction, kept for as long as deletions are.
CREATE TABLE feed_batches (
  tenant_id TEXT NOT NULL,
  batch_id  TEXT NOT NULL,  -- drawn
  added_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, batch_id)
) WITHOUT ROWID;

ALTER TABLE feed_heads ADD COLUMN batch_id TEXT;  -- of the newest batch; NULL: none yet
UPDATE feed_heads SET batch_id = lower(hex(randomblob(16))) WHERE seq > 0;
INSERT INTO feed_batches (tenant_id, batch_id, added_at)
  SELECT tenant_id, batch_id, strftime('%s', 'now') * 1000000 FROM feed_heads WHERE seq > 0;

ALTER TABLE embedding_spaces ADD COLUMN filler TEXT;              -- NULL: nobody yet
ALTER TABLE embedding_spaces ADD COLUMN filling_until INTEGER;
