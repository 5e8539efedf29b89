-- The scores behind a metric, of which those of longer periods are made; what was stored before gets its own when
-- it is needed.
ALTER TABLE action_effectiveness_metrics ADD COLUMN summary BLOB;
