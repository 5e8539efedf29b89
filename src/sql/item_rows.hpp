// Items as rows, for both engines. A reader R has read(member), get<T>() and blob(), column by column, as the
// engines' own readers do.
#pragma once

#include <actionhist/item_store.hpp>

#include "sql/floats.hpp"
#include "sql/namespace_path.hpp"

namespace actionhist::sql {

// "namespace, key, value, created_at, updated_at, ttl, expires_at"
template <class R>
Item read_item(R& row) {
  Item item;
  std::optional<std::int64_t> ttl;
  item.namespace_ = read_path(row.template get<std::string>());
  row.read(item.key).read(item.value).read(item.created_at).read(item.updated_at).read(ttl);
  row.read(item.expires_at);
  if (ttl) item.ttl = std::chrono::microseconds(*ttl);
  return item;
}

// The same with "space_id, vectors" behind. Throws Error: corrupt, for vectors that are none.
template <class R>
StoredItem read_stored_item(R& row) {
  StoredItem item{read_item(row), {}, {}};
  row.read(item.space_id);
  item.vectors = floats_of(std::as_bytes(std::span(row.blob())));
  return item;
}

// The ttl in the type of its column.
inline std::optional<std::int64_t> count_of(const std::optional<std::chrono::microseconds>& ttl) {
  return ttl ? std::optional<std::int64_t>(ttl->count()) : std::nullopt;
}

}  // namespace actionhist::sql
