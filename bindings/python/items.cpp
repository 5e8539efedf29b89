// The items of a History, for actionhist.Items.
#include <cmath>

#include <pybind11/chrono.h>
#include <pybind11/stl.h>

#include "convert.hpp"
#include "handle.hpp"

namespace actionhist::python {
namespace {

Namespace to_namespace(py::handle labels, std::string_view field) {
  // A text is a sequence of its letters, and never meant so.
  if (PyUnicode_Check(labels.ptr())) wrong_type(field, "a tuple of str", labels);
  return to_texts(labels, field);
}

ItemKey to_key(const py::tuple& parts) {
  return {to_namespace(parts[0], "namespace"), to_text(parts[1], "key")};
}

// namespace, key, value, ttl in seconds, texts, space_id, vectors
ItemChange to_change(const py::tuple& parts) {
  ItemChange change;
  change.namespace_ = to_namespace(parts[0], "namespace");
  change.key = to_text(parts[1], "key");
  if (!parts[2].is_none()) change.value = Json::parse(to_json(parts[2], "value", "value"), "value");
  if (!parts[3].is_none()) {
    const double seconds = to_number(parts[3], "ttl");
    // A century is beyond what anybody means; NaN is not below it either.
    if (!(seconds < 3.2e9)) throw Error(ErrorCode::invalid_argument, "ttl: is more than a hundred years");
    change.ttl = std::chrono::microseconds(std::llround(seconds * 1e6));
  }
  if (!parts[4].is_none()) change.texts = to_texts(parts[4], "texts");
  change.space_id = to_optional_text(parts[5], "space_id");
  if (!parts[6].is_none()) {
    for (const py::handle vector : to_list(parts[6], "vectors"))
      change.vectors.push_back(to_floats(vector, "vectors"));
  }
  return change;
}

py::tuple from_namespace(const Namespace& labels) {
  py::tuple tuple(labels.size());
  for (std::size_t i = 0; i < labels.size(); ++i) tuple[i] = py::str(labels[i]);
  return tuple;
}

// In the order of the fields of actionhist.Item.
py::tuple from_item(const Item& item) {
  return py::make_tuple(from_namespace(item.namespace_), item.key, from_json(item.value.text()),
                        from_time(item.created_at), from_time(item.updated_at),
                        item.expires_at ? from_time(*item.expires_at) : py::none(), item.score, item.ttl);
}

py::list search(const Handle& self, const py::object& under, const py::object& text, const py::object& vector,
                const py::object& space_id, const py::object& where, const py::object& limit,
                const py::object& offset, const py::object& renew) {
  ItemQuery query;
  query.under = to_namespace(under, "namespace");
  query.text = to_optional_text(text, "text");
  if (!vector.is_none()) query.vector = to_floats(vector, "vector");
  query.space_id = to_optional_text(space_id, "space_id");
  query.where = to_where(where);
  query.limit = to_int(limit, "limit");
  query.offset = to_int(offset, "offset");
  query.renew = to_flag(renew, "renew");
  py::list items;
  for (const Item& item : self.call([&](History& history) { return history.items().search(query); })) {
    items.append(from_item(item));
  }
  return items;
}

}  // namespace

void bind_items(py::class_<Handle>& type) {
  type.def("put_items", [](const Handle& self, const py::list& given) {
    std::vector<ItemChange> changes;
    for (const py::handle each : given) changes.push_back(to_change(py::reinterpret_borrow<py::tuple>(each)));
    self.call([&](History& history) { history.items().put(changes); });
  });
  type.def("get_items", [](const Handle& self, const py::list& given, const py::object& renew) {
    std::vector<ItemKey> keys;
    for (const py::handle each : given) keys.push_back(to_key(py::reinterpret_borrow<py::tuple>(each)));
    const bool renews = to_flag(renew, "renew");
    py::list items;
    for (const auto& item : self.call([&](History& history) { return history.items().get(keys, renews); })) {
      items.append(item ? py::object(from_item(*item)) : py::none());
    }
    return items;
  });
  type.def("search_items", &search);
  type.def("item_namespaces",
           [](const Handle& self, const py::object& prefix, const py::object& suffix,
              const py::object& max_depth, const py::object& limit, const py::object& offset) {
             NamespaceQuery query;
             query.prefix = to_namespace(prefix, "prefix");
             query.suffix = to_namespace(suffix, "suffix");
             if (!max_depth.is_none()) query.max_depth = to_int(max_depth, "max_depth");
             query.limit = to_int(limit, "limit");
             query.offset = to_int(offset, "offset");
             py::list found;
             for (const Namespace& each :
                  self.call([&](History& history) { return history.items().namespaces(query); })) {
               found.append(from_namespace(each));
             }
             return found;
           });
  type.def("sweep_items", [](const Handle& self, const py::object& limit) {
    const int most = to_int(limit, "limit");
    return self.call([&](History& history) { return history.items().sweep(most); });
  });
}

}  // namespace actionhist::python
