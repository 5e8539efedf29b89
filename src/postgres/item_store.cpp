#include "postgres/item_store.hpp"

#include <fmt/format.h>

#include "sql/item_rows.hpp"
#include "sql/namespace_path.hpp"

namespace actionhist::postgres {
namespace {

constexpr std::string_view columns =
    "i.namespace, i.key, i.value, i.created_at, i.updated_at, i.ttl, i.expires_at";

// Two arrays for unnest.
void add_keys(Parameters& parameters, std::span<const ItemKey> keys) {
  std::vector<std::string> paths, names;
  for (const ItemKey& key : keys) {
    paths.push_back(sql::write_path(key.namespace_));
    names.push_back(key.key);
  }
  parameters.add(paths).add(names);
}

// Adds the condition of the rows below a namespace that are alive at a time, and its parameters behind `count`
// others.
void add_below(std::string& text, Parameters& parameters, int& count, const Namespace& under, TimePoint now) {
  if (!under.empty()) {
    const sql::PathRange range = sql::below(under);
    text += fmt::format(" AND i.namespace >= ${} AND i.namespace < ${}", count + 1, count + 2);
    parameters.add_text(range.first).add_text(range.end);
    count += 2;
  }
  text += fmt::format(" AND (i.expires_at IS NULL OR i.expires_at > ${})", ++count);
  parameters.add(now);
}

}  // namespace

void PostgresItemStore::put(std::span<const StoredItem> items) {
  std::vector<std::string> paths, keys;
  std::vector<Json> values;
  std::vector<TimePoint> created, updated;
  std::vector<std::optional<std::int64_t>> ttls;
  std::vector<std::optional<TimePoint>> expiries;
  std::vector<std::string_view> spaces;
  std::vector<std::span<const std::byte>> vectors;
  for (const StoredItem& item : items) {
    paths.push_back(sql::write_path(item.namespace_));
    keys.push_back(item.key);
    values.push_back(item.value);
    created.push_back(item.created_at);
    updated.push_back(item.updated_at);
    ttls.push_back(sql::count_of(item.ttl));
    expiries.push_back(item.expires_at);
    spaces.push_back(item.space_id);
    vectors.push_back(std::as_bytes(std::span(item.vectors)));
  }
  Parameters parameters(engine_.tenant(), paths, keys, values, created, updated, ttls, expiries);
  parameters.add_nullable_texts(spaces).add_byte_arrays(vectors);
  engine_.run(
      "INSERT INTO items AS i (tenant_id, namespace, key, value, created_at, updated_at, ttl, expires_at, "
      "space_id, vectors) SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[], "
      "$6::timestamptz[], $7::int8[], $8::timestamptz[], $9::text[], $10::bytea[]) "
      "ON CONFLICT (tenant_id, namespace, key) DO UPDATE SET value = excluded.value, "
      "created_at = CASE WHEN i.expires_at <= excluded.updated_at THEN excluded.created_at ELSE i.created_at END, "
      "updated_at = excluded.updated_at, ttl = excluded.ttl, expires_at = excluded.expires_at, "
      "space_id = excluded.space_id, vectors = excluded.vectors",
      std::move(parameters));
}

void PostgresItemStore::remove(std::span<const ItemKey> keys) {
  Parameters parameters(engine_.tenant());
  add_keys(parameters, keys);
  engine_.run(
      "DELETE FROM items i USING unnest($2::text[], $3::text[]) AS gone(namespace, key) "
      "WHERE i.tenant_id = $1 AND i.namespace = gone.namespace COLLATE \"C\" AND i.key = gone.key COLLATE \"C\"",
      std::move(parameters));
}

std::vector<Item> PostgresItemStore::get(std::span<const ItemKey> keys, TimePoint now) {
  static const std::string text = fmt::format(
      "SELECT {} FROM items i JOIN unnest($2::text[], $3::text[]) AS wanted(namespace, key) "
      "ON i.namespace = wanted.namespace COLLATE \"C\" AND i.key = wanted.key COLLATE \"C\" "
      "WHERE i.tenant_id = $1 AND (i.expires_at IS NULL OR i.expires_at > $4)",
      columns);
  Parameters parameters(engine_.tenant());
  add_keys(parameters, keys);
  parameters.add(now);
  const Result result = engine_.run(text, std::move(parameters));
  return read_rows(result, sql::read_item<Reader>);
}

void PostgresItemStore::renew(std::span<const ItemKey> keys, TimePoint now) {
  Parameters parameters(engine_.tenant());
  add_keys(parameters, keys);
  parameters.add(now);
  // Rows are locked in the order of their keys, as every writer of several does.
  engine_.run(
      "WITH read AS (SELECT i.namespace, i.key FROM items i JOIN unnest($2::text[], $3::text[]) AS "
      "wanted(namespace, key) ON i.namespace = wanted.namespace COLLATE \"C\" AND i.key = wanted.key COLLATE "
      "\"C\" WHERE i.tenant_id = $1 AND i.ttl IS NOT NULL AND i.expires_at > $4 "
      "ORDER BY i.namespace, i.key FOR UPDATE) "
      "UPDATE items i SET expires_at = $4 + i.ttl * interval '1 microsecond' FROM read "
      "WHERE i.tenant_id = $1 AND i.namespace = read.namespace AND i.key = read.key",
      std::move(parameters));
}

std::vector<StoredItem> PostgresItemStore::scan(const ItemScan& scan) {
  std::string text = fmt::format("SELECT {}{} FROM items i WHERE i.tenant_id = $1", columns,
                                 scan.vectors ? ", i.space_id, i.vectors" : "");
  Parameters parameters(engine_.tenant());
  int count = 1;
  add_below(text, parameters, count, scan.under, scan.now);
  if (scan.after) {
    text += fmt::format(" AND (i.namespace, i.key) > (${}, ${})", count + 1, count + 2);
    parameters.add_text(sql::write_path(scan.after->namespace_)).add_text(scan.after->key);
    count += 2;
  }
  text += fmt::format(" ORDER BY i.namespace, i.key LIMIT ${}", ++count);
  parameters.add(std::int64_t{scan.limit});
  const Result result = engine_.run(text, std::move(parameters));
  return read_rows(result, [&](Reader& row) {
    return scan.vectors ? sql::read_stored_item(row) : StoredItem{sql::read_item(row), {}, {}};
  });
}

std::vector<Item> PostgresItemStore::newest(const ItemScan& scan, int offset) {
  // Which they are the index tells, and of the rows only these are read.
  constexpr std::string_view order = " ORDER BY i.updated_at DESC, i.namespace, i.key";
  std::string text = fmt::format(
      "SELECT {} FROM items i WHERE i.tenant_id = $1 AND (i.namespace, i.key) IN (SELECT i.namespace, i.key FROM "
      "items i WHERE i.tenant_id = $1",
      columns);
  Parameters parameters(engine_.tenant());
  int count = 1;
  add_below(text, parameters, count, scan.under, scan.now);
  text += fmt::format("{0} LIMIT ${1} OFFSET ${2}){0}", order, count + 1, count + 2);
  parameters.add(std::int64_t{scan.limit}).add(std::int64_t{offset});
  const Result result = engine_.run(text, std::move(parameters));
  return read_rows(result, sql::read_item<Reader>);
}

std::vector<Namespace> PostgresItemStore::namespaces(const Namespace& under, TimePoint now) {
  std::string text = "SELECT DISTINCT i.namespace FROM items i WHERE i.tenant_id = $1";
  Parameters parameters(engine_.tenant());
  int count = 1;
  add_below(text, parameters, count, under, now);
  const Result result = engine_.run(text + " ORDER BY i.namespace", std::move(parameters));
  return read_rows(result, [](Reader& row) { return sql::read_path(row.view()); });
}

std::int64_t PostgresItemStore::expire(TimePoint now, int limit) {
  // What another one removes or renews just now is left to it.
  return engine_
      .run(
          "DELETE FROM items WHERE tenant_id = $1 AND (namespace, key) IN (SELECT namespace, key FROM items "
          "WHERE tenant_id = $1 AND expires_at <= $2 ORDER BY expires_at LIMIT $3 FOR UPDATE SKIP LOCKED)",
          Parameters(engine_.tenant(), now, std::int64_t{limit}))
      .affected();
}

}  // namespace actionhist::postgres
