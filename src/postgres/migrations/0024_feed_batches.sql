-- Which transactions have made the feed, so that a replica notices a feed that was put back and went on from there;
-- and who fills a space, until when.

-- One row a transaction, kept for as long as deletions are.
CREATE TABLE feed_batches (
  tenant_id text COLLATE "C" NOT NULL,
  batch_id  text COLLATE "C" NOT NULL,  -- drawn
  added_at  timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, batch_id)
);

ALTER TABLE feed_heads ADD COLUMN batch_id text COLLATE "C";  -- of the newest batch; NULL: none yet
-- Whoever migrates sees the rows of all tenants only while their policies do not hold for the owner.
ALTER TABLE feed_heads NO FORCE ROW LEVEL SECURITY;
UPDATE feed_heads SET batch_id = gen_random_uuid()::text WHERE seq > 0;
INSERT INTO feed_batches (tenant_id, batch_id, added_at)
  SELECT tenant_id, batch_id, now() FROM feed_heads WHERE seq > 0;
ALTER TABLE feed_heads FORCE ROW LEVEL SECURITY;

ALTER TABLE feed_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON feed_batches USING (tenant_id = current_setting('actionhist.tenant', true))
  WITH CHECK (tenant_id = current_setting('actionhist.tenant', true));

ALTER TABLE embedding_spaces ADD COLUMN filler text COLLATE "C";     -- NULL: nobody yet
ALTER TABLE embedding_spaces ADD COLUMN filling_until timestamptz;
