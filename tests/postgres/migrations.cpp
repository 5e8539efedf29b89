// What migrations make of the rows that are there.
#include "postgres/migrations.hpp"

#include <algorithm>

#include <catch2/catch.hpp>

#include "support/postgres_server.hpp"
#include "support/samples.hpp"

using namespace actionhist;
using namespace actionhist::test;

TEST_CASE("the feeds of all tenants get a batch when the schema learns of them", "[postgres][migrations]") {
  const std::string uri = fresh_database(shared_server());
  const Options options{.tenant = "t", .semantic = false};
  { open(uri, options); }
  run_psql(
      uri,
      "SET search_path = actionhist; DROP TABLE feed_batches; ALTER TABLE feed_heads DROP COLUMN batch_id; ALTER "
      "TABLE embedding_spaces DROP COLUMN filler, DROP COLUMN filling_until; SET actionhist.tenant = 't'; INSERT "
      "INTO feed_heads (tenant_id, epoch, seq) VALUES ('t', 'e', 7); SET actionhist.tenant = 'u'; INSERT INTO "
      "feed_heads (tenant_id, epoch, seq) VALUES ('u', 'e', 9);");
  const auto& migration = *std::ranges::find_if(
      postgres::migrations(), [](const sql::Migration& m) { return m.name.ends_with("feed_batches"); });
  run_psql(uri, "SET search_path = actionhist; " + std::string(migration.sql));
  CHECK(
      shared_server().run_sql(
          "SELECT count(*) FROM actionhist.feed_heads JOIN actionhist.feed_batches USING (tenant_id, batch_id)",
          database_of(uri)) == "2");
  CHECK(open(uri, options).repository().feed().head().batch_id.size() == 36);
}
