// What actionhist.h declares of items.
#include <chrono>
#include <cmath>

#include "operate.hpp"
#include "request.hpp"

namespace {

using namespace actionhist;
using namespace actionhist::capi;

ItemKey read_key(FieldReader& reader) {
  ItemKey key;
  reader("namespace", key.namespace_);
  reader("key", key.key);
  return key;
}

ItemChange read_change(FieldReader& reader) {
  ItemChange change;
  ItemKey key = read_key(reader);
  change.namespace_ = std::move(key.namespace_);
  change.key = std::move(key.key);
  reader("value", change.value);
  std::optional<double> ttl_seconds;
  reader("ttl_seconds", ttl_seconds);
  if (ttl_seconds) {
    // A century is beyond what anybody means.
    if (*ttl_seconds > 3.2e9) refuse(reader.path("ttl_seconds"), "is more than a hundred years");
    change.ttl = std::chrono::microseconds(std::llround(*ttl_seconds * 1e6));
  }
  reader("texts", change.texts);
  reader("space_id", change.space_id);
  if (const auto vectors = reader.take("vectors")) {
    if (!vectors->is_array()) refuse(reader.path("vectors"), "must be an array of vectors");
    for (JsonElement vector : simdjson::dom::array(*vectors)) {
      change.vectors.push_back(
          to_floats(vector, fmt::format("{}[{}]", reader.path("vectors"), change.vectors.size())));
    }
  }
  return change;
}

void write(JsonWriter& writer, const Item& item) {
  writer.begin_object();
  FieldWriter put(writer);
  put("namespace", item.namespace_);
  put("key", item.key);
  put("value", item.value);
  put("created_at", item.created_at);
  put("updated_at", item.updated_at);
  if (item.ttl) put("ttl_seconds", std::chrono::duration<double>(*item.ttl).count());
  put("expires_at", item.expires_at);
  put("score", item.score);
  writer.end_object();
}

}  // namespace

ACTIONHIST_OPERATION(put_items) {
  Request request(text);
  std::vector<ItemChange> changes;
  request.each("items", [&](FieldReader& item) { changes.push_back(read_change(item)); });
  request.done();
  history.items().put(changes);
  return std::string(null);
}

ACTIONHIST_OPERATION(get_items) {
  Request request(text);
  std::vector<ItemKey> keys;
  request.each("keys", [&](FieldReader& key) { keys.push_back(read_key(key)); });
  bool renew = true;
  request.read("renew", renew);
  request.done();
  JsonWriter writer;
  writer.begin_array();
  for (const auto& item : history.items().get(keys, renew)) {
    if (item) {
      write(writer, *item);
    } else {
      writer.null();
    }
  }
  return writer.end_array().take();
}

ACTIONHIST_OPERATION(search_items) {
  Request request(text);
  ItemQuery query;
  request.read("namespace", query.under);
  query.text = request.text("text");
  query.vector = read_floats(request.members(), "vector");
  query.space_id = request.text("space_id");
  request.read("where", query.where);
  request.read("limit", query.limit);
  request.read("offset", query.offset);
  request.read("renew", query.renew);
  request.done();
  JsonWriter writer;
  writer.begin_array();
  for (const Item& item : history.items().search(query)) write(writer, item);
  return writer.end_array().take();
}

ACTIONHIST_OPERATION(item_namespaces) {
  Request request(text);
  NamespaceQuery query;
  request.read("prefix", query.prefix);
  request.read("suffix", query.suffix);
  request.read("max_depth", query.max_depth);
  request.read("limit", query.limit);
  request.read("offset", query.offset);
  request.done();
  JsonWriter writer;
  writer.begin_array();
  for (const Namespace& labels : history.items().namespaces(query)) {
    writer.begin_array();
    for (const std::string& label : labels) writer.value(label);
    writer.end_array();
  }
  return writer.end_array().take();
}

ACTIONHIST_OPERATION(sweep_items) {
  Request request(text);
  int limit = 1000;
  request.read("limit", limit);
  request.done();
  return std::to_string(history.items().sweep(limit));
}
