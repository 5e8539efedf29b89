-- Which items below a namespace were written last, and which namespaces there are, without reading their rows: with its
-- vectors each fills a page.
CREATE INDEX items_newest ON items (tenant_id, namespace, updated_at, key, expires_at);
