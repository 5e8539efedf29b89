#include "sqlite/item_store.hpp"

#include "sql/item_rows.hpp"
#include "sql/namespace_path.hpp"
#include "sqlite/rows.hpp"

namespace actionhist::sqlite {
namespace {

constexpr const char* columns = "namespace, key, value, created_at, updated_at, ttl, expires_at";
constexpr const char* alive = "(expires_at IS NULL OR expires_at > ?)";

// The condition of the rows below a namespace that are alive at a time.
class Below {
 public:
  Below(const Namespace& under, TimePoint now) : now_(now) {
    if (!under.empty()) range_ = sql::below(under);
  }

  std::string text() const {
    const std::string time = std::string(" AND ") + alive;
    return range_ ? "namespace >= ? AND namespace < ?" + time : "1" + time;
  }

  void bind(Query& query) const {
    if (range_) query.bind_text(range_->first).bind_text(range_->end);
    query.bind(now_);
  }

 private:
  std::optional<sql::PathRange> range_;
  TimePoint now_;
};

}  // namespace

void SqliteItemStore::put(std::span<const StoredItem> items) {
  engine_.write([&](Connection& connection) {
    Query query(connection, std::string("INSERT INTO items (tenant_id, ") + columns +
                                ", space_id, vectors) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
                                "ON CONFLICT DO UPDATE SET value = excluded.value, "
                                "created_at = CASE WHEN expires_at <= excluded.updated_at "
                                "THEN excluded.created_at ELSE created_at END, "
                                "updated_at = excluded.updated_at, ttl = excluded.ttl, "
                                "expires_at = excluded.expires_at, space_id = excluded.space_id, "
                                "vectors = excluded.vectors");
    for (const StoredItem& item : items) {
      const std::string path = sql::write_path(item.namespace_);
      query.bind(engine_.tenant()).bind_text(path).bind_text(item.key);
      query.bind_all(item.value, item.created_at, item.updated_at, sql::count_of(item.ttl), item.expires_at,
                     item.space_id);
      query.bind_blob(item.vectors.data(), item.vectors.size() * sizeof(float)).run();
      query.reset();
    }
  });
}

void SqliteItemStore::remove(std::span<const ItemKey> keys) {
  engine_.write([&](Connection& connection) {
    Query query(connection, "DELETE FROM items WHERE tenant_id = ? AND namespace = ? AND key = ?");
    for (const ItemKey& key : keys) {
      const std::string path = sql::write_path(key.namespace_);
      query.bind(engine_.tenant()).bind_text(path).bind_text(key.key).run();
      query.reset();
    }
  });
}

std::vector<Item> SqliteItemStore::get(std::span<const ItemKey> keys, TimePoint now) {
  return engine_.read([&](Connection& connection) {
    Query query(connection, std::string("SELECT ") + columns +
                                " FROM items WHERE tenant_id = ? AND namespace = ? AND key = ? AND " + alive);
    std::vector<Item> items;
    for (const ItemKey& key : keys) {
      const std::string path = sql::write_path(key.namespace_);
      query.bind(engine_.tenant()).bind_text(path).bind_text(key.key).bind(now);
      if (query.step()) items.push_back(sql::read_item(query));
      query.reset();
    }
    return items;
  });
}

void SqliteItemStore::renew(std::span<const ItemKey> keys, TimePoint now) {
  engine_.write([&](Connection& connection) {
    Query query(connection, std::string("UPDATE items SET expires_at = ? + ttl WHERE tenant_id = ? AND "
                                        "namespace = ? AND key = ? AND ttl IS NOT NULL AND ") +
                                alive);
    for (const ItemKey& key : keys) {
      const std::string path = sql::write_path(key.namespace_);
      query.bind(now).bind(engine_.tenant()).bind_text(path).bind_text(key.key).bind(now).run();
      query.reset();
    }
  });
}

std::vector<StoredItem> SqliteItemStore::scan(const ItemScan& scan) {
  const Below below(scan.under, scan.now);
  std::string text = std::string("SELECT ") + columns + (scan.vectors ? ", space_id, vectors" : "") +
                     " FROM items WHERE tenant_id = ? AND " + below.text();
  if (scan.after) text += " AND (namespace, key) > (?, ?)";
  text += " ORDER BY namespace, key LIMIT ?";
  const std::string after = scan.after ? sql::write_path(scan.after->namespace_) : "";
  return engine_.read([&](Connection& connection) {
    Query query(connection, text);
    query.bind(engine_.tenant());
    below.bind(query);
    if (scan.after) query.bind_text(after).bind_text(scan.after->key);
    query.bind(scan.limit);
    return read_rows(query, [&](Query& row) {
      return scan.vectors ? sql::read_stored_item(row) : StoredItem{sql::read_item(row), {}, {}};
    });
  });
}

std::vector<Item> SqliteItemStore::newest(const ItemScan& scan, int offset) {
  const Below below(scan.under, scan.now);
  return engine_.read([&](Connection& connection) {
    // Which they are the index tells; of the rows, of which each fills a page, only these are read.
    const std::string order = " ORDER BY updated_at DESC, namespace, key";
    Query query(connection,
                std::string("SELECT ") + columns +
                    " FROM items WHERE rowid IN (SELECT rowid FROM items WHERE tenant_id = ? AND " +
                    below.text() + order + " LIMIT ? OFFSET ?)" + order);
    query.bind(engine_.tenant());
    below.bind(query);
    query.bind_all(scan.limit, offset);
    return read_rows(query, sql::read_item<Query>);
  });
}

std::vector<Namespace> SqliteItemStore::namespaces(const Namespace& under, TimePoint now) {
  const Below below(under, now);
  return engine_.read([&](Connection& connection) {
    Query query(connection, "SELECT DISTINCT namespace FROM items WHERE tenant_id = ? AND " + below.text() +
                                " ORDER BY namespace");
    query.bind(engine_.tenant());
    below.bind(query);
    return read_rows(query, [](Query& row) { return sql::read_path(row.get<std::string>()); });
  });
}

std::int64_t SqliteItemStore::expire(TimePoint now, int limit) {
  return engine_.write([&](Connection& connection) {
    Query query(connection,
                "DELETE FROM items WHERE rowid IN (SELECT rowid FROM items WHERE tenant_id = ? AND "
                "expires_at <= ? ORDER BY expires_at LIMIT ?)");
    return std::int64_t{query.bind_all(engine_.tenant(), now, limit).run()};
  });
}

}  // namespace actionhist::sqlite
