#include <actionhist/postgres_roles.hpp>

#include <fmt/format.h>

#include <actionhist/postgres_options.hpp>

#include "core/refuse.hpp"

namespace actionhist {
namespace {

// {0} is the schema. Partitions are left out everywhere, and months that were detached, which do not force their
// row-level security: the policies are those of the parent. What a role had before and should not have is taken away, so that the script may be repeated.
constexpr std::string_view script = R"(BEGIN;
DO $roles$
DECLARE
  role text;
  data text;
  allowed record;
BEGIN
  IF to_regclass('"{0}".actionhist_migrations') IS NULL THEN
    RAISE EXCEPTION 'schema "{0}" holds no memory yet; run actionhist migrate first';
  END IF;
  FOREACH role IN ARRAY ARRAY['{0}_writer', '{0}_reader', '{0}_embedder', '{0}_maintenance'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role);
    END IF;
    EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA "{0}" FROM %I', role);
    EXECUTE format('REVOKE ALL ON SCHEMA "{0}" FROM %I', role);
    EXECUTE format('GRANT USAGE ON SCHEMA "{0}" TO %I', role);
    EXECUTE format('GRANT SELECT ON "{0}".actionhist_migrations, "{0}".closed_months TO %I', role);
  END LOOP;

  -- Readers see every table of the memory, and writers change what is in it.
  FOR data IN SELECT relname FROM pg_class WHERE relnamespace = '"{0}"'::regnamespace AND
              relkind IN ('r', 'p') AND NOT relispartition AND relname <> 'actionhist_migrations' AND
              relforcerowsecurity LOOP
    EXECUTE format('GRANT SELECT ON "{0}".%I TO "{0}_reader", "{0}_maintenance"', data);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON "{0}".%I TO "{0}_writer"', data);
  END LOOP;
  -- Who went past the brakes, and why, is never changed.
  IF to_regclass('"{0}".guard_overrides') IS NOT NULL THEN
    REVOKE UPDATE, DELETE ON "{0}".guard_overrides FROM "{0}_writer";
  END IF;

  FOR allowed IN SELECT * FROM (VALUES
    ('embedder', 'oscillation_patterns', 'SELECT'),
    ('embedder', 'shipped_patterns', 'SELECT'),
    ('embedder', 'resource_action_traces', 'SELECT'),
    ('embedder', 'action_ids', 'SELECT'),
    ('embedder', 'embedding_queue', 'SELECT, INSERT, UPDATE, DELETE'),
    ('embedder', 'worker_leases', 'SELECT, INSERT, UPDATE, DELETE'),
    ('embedder', 'feed_heads', 'SELECT, INSERT, UPDATE'),
    ('embedder', 'feed_batches', 'SELECT, INSERT, DELETE'),
    ('embedder', 'feed_subjects', 'SELECT, INSERT, UPDATE, DELETE'),
    ('embedder', 'embedding_spaces', 'SELECT, INSERT, UPDATE, DELETE'),
    ('embedder', 'embedding_models', 'SELECT, INSERT, UPDATE, DELETE'),
    ('embedder', 'embeddings', 'SELECT, INSERT, UPDATE, DELETE'),
    ('maintenance', 'resource_action_traces', 'UPDATE, DELETE'),
    ('maintenance', 'action_ids', 'INSERT, UPDATE'),
    ('maintenance', 'action_histories', 'INSERT, UPDATE, DELETE'),
    ('maintenance', 'guard_heads', 'INSERT, UPDATE'),
    ('maintenance', 'alert_events', 'DELETE'),
    ('maintenance', 'resource_references', 'INSERT'),
    ('maintenance', 'scored_hours', 'INSERT'),
    ('maintenance', 'embedding_queue', 'INSERT, UPDATE'),
    ('maintenance', 'retention_defaults', 'INSERT, UPDATE, DELETE'),
    ('maintenance', 'retention_operations', 'INSERT, UPDATE, DELETE'),
    ('maintenance', 'compacted_actions', 'INSERT, UPDATE, DELETE')
  ) AS list(role, name, rights) WHERE to_regclass('"{0}".' || name) IS NOT NULL LOOP
    EXECUTE format('GRANT %s ON "{0}".%I TO %I', allowed.rights, allowed.name, '{0}_' || allowed.role);
  END LOOP;
END
$roles$;
GRANT EXECUTE ON FUNCTION "{0}".actionhist_ensure_month(timestamptz) TO "{0}_writer", "{0}_maintenance";
GRANT EXECUTE ON FUNCTION "{0}".actionhist_indexed(text, text, text, timestamptz, timestamptz, bigint)
  TO "{0}_writer", "{0}_reader", "{0}_maintenance";
COMMIT;
-- Then, for each program: CREATE ROLE name LOGIN PASSWORD '…' IN ROLE "{0}_writer";
)";

}  // namespace

std::string postgres_roles_script(std::string_view schema) {
  PostgresOptions options;
  options.schema = schema;
  validate(options);
  // A role's name has 63 bytes, as a schema's.
  if (schema.size() > 63 - std::string_view("_maintenance").size()) {
    refuse("schema", "must be at most 51 letters for roles of its name");
  }
  return fmt::format(fmt::runtime(script), schema);
}

}  // namespace actionhist
