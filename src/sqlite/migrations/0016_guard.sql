-- How often each alert fired in the week before, when it ended, and where one was critical, counted at each proposal
-- without reading the rows.
CREATE INDEX alert_events_firings ON alert_events (tenant_id, fingerprint, starts_at, ends_at);
CREATE INDEX alert_events_critical ON alert_events (tenant_id, ifnull(namespace, ''), starts_at)
  WHERE severity = 'critical';

-- Tenants that have got the shipped patterns: what they remove of them is not shipped again.
CREATE TABLE shipped_patterns (
  tenant_id  TEXT NOT NULL PRIMARY KEY,
  shipped_at INTEGER NOT NULL
) WITHOUT ROWID;
